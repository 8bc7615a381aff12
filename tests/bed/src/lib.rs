//! The development crate: what the tests, the demo and a newcomer stand on. It knows nothing of `src/`.

pub mod child;
pub mod demo;
pub mod graph;
pub mod graph_command;
pub mod plane;
pub mod plane_command;
mod signals;
pub mod test_support;
pub mod tools;
