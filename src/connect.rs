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
    let ca_pem = connection.ca_file.as_ref().map(|path| {
        std::fs::read(path).map_err(|error| ConnectError::CaFile { path: path.display().to_string(), error })
    });
    let endpoints = endpoints(connection, connection.cloud)?;
    Ok(graph::Options { ca_pem: ca_pem.transpose()?, ..graph::Options::new(endpoints) })
}

/// Where a cloud is. The addresses that were chosen are those of the chosen cloud; the others have their own.
pub fn endpoints(connection: &Connection, name: CloudName) -> Result<graph::Endpoints, ConnectError> {
    let cloud = match name {
        CloudName::Global => graph::Cloud::Global,
        CloudName::UsGov => graph::Cloud::UsGov,
        CloudName::UsGovDod => graph::Cloud::UsGovDod,
        CloudName::China => graph::Cloud::China,
    };
    let chosen = (name == connection.cloud).then_some((&connection.graph_url, &connection.authority_host));
    let (graph, login) = chosen.map_or((None, None), |(graph, login)| (graph.clone(), login.clone()));
    let other = connection.cloud_address.iter().find(|other| other.cloud == name).map(|other| other.url.clone());
    let endpoints = graph::Endpoints::new(cloud, graph.or_else(|| other.clone()), login.or(other))?;
    let imds = connection.imds_address.clone().unwrap_or(endpoints.imds);
    let audience = connection.federation_audience.iter().find(|other| other.cloud == name);
    let federation_audience = audience.map_or(endpoints.federation_audience, |other| other.audience.clone());
    Ok(graph::Endpoints { imds, federation_audience, ..endpoints })
}
