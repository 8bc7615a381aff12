//! From flags to a client of Microsoft Graph; the same for the operator and for the commands that need no cluster.

use crate::args::{CloudName, Connection};
use crate::graph;

/// Why there is no client. The text names what to correct.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{0}")]
    Credential(#[from] graph::CredentialError),
    #[error("{0}")]
    Endpoints(#[from] graph::EndpointError),
    #[error("{0}")]
    Graph(#[from] graph::SetupError),
    #[error("cannot read the file '{path}': {error}")]
    CaFile { path: String, error: std::io::Error },
}

/// The options of a client for the cloud and the addresses that were chosen.
pub fn options(connection: &Connection) -> Result<graph::Options, ConnectError> {
    let cloud = match connection.cloud {
        CloudName::Global => graph::Cloud::Global,
        CloudName::UsGov => graph::Cloud::UsGov,
        CloudName::UsGovDod => graph::Cloud::UsGovDod,
        CloudName::China => graph::Cloud::China,
    };
    let endpoints = graph::Endpoints::new(cloud, connection.graph_url.clone(), connection.authority_host.clone())?;
    let ca_pem = connection.ca_file.as_ref().map(|path| {
        std::fs::read(path).map_err(|error| ConnectError::CaFile { path: path.display().to_string(), error })
    });
    Ok(graph::Options { ca_pem: ca_pem.transpose()?, ..graph::Options::new(endpoints) })
}
