//! The Graph simulator: login, Graph and a control API on one HTTPS origin of the loopback.

mod batch;
pub mod behaviours;
mod control;
mod demo;
mod directory;
mod faults;
pub mod fixtures;
mod http;
mod login;
mod model;
mod paging;
mod permissions;
mod sync;
mod throttle;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

pub use control::client::{Control, ControlError};
use model::Model;
pub use model::tenant::Seed;

/// How to start a simulator.
#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    pub seed: Option<Seed>,
    /// Where `ca.pem` goes; a directory of its own by default.
    pub dir: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 0)), seed: None, dir: None }
    }
}

/// What a client needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    pub url: String,
    pub login: String,
    /// The metadata service of the machine: plain HTTP, and nothing else there.
    pub imds: String,
    pub ca: PathBuf,
    pub control: String,
    pub demo: Option<Demo>,
}

/// The tenant that a simulator without a seed holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: String,
    pub service_principal_id: String,
    pub template_id: String,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the simulator cannot listen: {0}")]
    Listen(std::io::Error),
    #[error("the certificates of the simulator cannot be made: {0}")]
    Certificate(String),
    #[error("the seed cannot be used: {0}")]
    Seed(String),
}

type Shared = Arc<Mutex<Model>>;

/// Nothing awaits while it holds the model.
fn lock(shared: &Shared) -> MutexGuard<'_, Model> {
    shared.lock()
}

/// A running simulator; it stops when dropped.
pub struct Simulator {
    ready: Ready,
    server: tokio::task::JoinHandle<()>,
    _dir: Option<tempfile::TempDir>,
}

impl Simulator {
    pub async fn start(options: Options) -> Result<Self, StartError> {
        http::serve::start(options).await
    }

    pub fn ready(&self) -> &Ready {
        &self.ready
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}
