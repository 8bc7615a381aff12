//! The Graph simulator.
