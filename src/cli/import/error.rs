//! Why nothing was imported.

use crate::connect::ConnectError;
use crate::graph;

/// Why nothing was written. The text names what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// A failure that the next question would meet as well.
    #[error("{error} {remedy}")]
    Graph { error: graph::Error, remedy: &'static str },
    #[error("{0}")]
    NothingRead(String),
    #[error("'{0}' is not a directory")]
    NoDirectory(String),
    #[error("{0} there already, and nothing was written. Choose another --output-dir, or overwrite with --force")]
    Exists(String),
    #[error("cannot write '{path}': {error}")]
    Write { path: String, error: std::io::Error },
    #[error("cannot print the manifests: {0}")]
    Print(std::io::Error),
    #[error("a manifest cannot be put into YAML: {0}")]
    Yaml(String),
}
