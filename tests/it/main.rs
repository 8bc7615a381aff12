//! The one integration binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// The bans are for the product: tests of the whole stack run in real time.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod admission;
mod alerts;
mod argo;
mod chart;
mod cli;
mod cluster;
mod conditions;
mod conversation;
mod dashboard;
mod docs;
mod life;
mod mappings;
mod ops;
mod parsers;
mod properties;
mod protocol;
mod queue;
mod schema;
mod secrets;
mod stack;
mod tenants;
mod tidy;
mod world;
