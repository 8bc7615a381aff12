//! Why there is no plan.

use crate::connect::ConnectError;
use crate::graph;

/// Why nothing was planned. The text names what to fix.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("{0}")]
    Manifests(String),
    #[error("{0}")]
    Connect(#[from] ConnectError),
    #[error("{error} {remedy}")]
    Login { error: graph::Error, remedy: &'static str },
    #[error("cannot print the plan: {0}")]
    Print(std::io::Error),
}
