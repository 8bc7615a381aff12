//! A real control plane on loopback: etcd, kube-apiserver and, on request, kube-controller-manager.

pub mod admin;
mod files;
mod flags;
mod home;
mod keys;
pub mod owned;
mod start;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::child::{Child, ChildError};
use crate::tools::ToolError;
use home::Home;

const STOP_GRACE: Duration = Duration::from_secs(5);
const WATCH_POLL: Duration = Duration::from_millis(250);

#[derive(Clone, Debug, Default)]
pub struct PlaneOptions {
    /// State and logs. Absent, empty or left by an earlier plane (it is wiped then); it stays after the end.
    /// `None`: a temporary directory that goes with the plane.
    pub dir: Option<PathBuf>,
    /// Also run kube-controller-manager with the controllers for namespaces, garbage and service accounts.
    pub controller_manager: bool,
    /// Write an audit log of what the operator's tests look at: its own group, leases, events, Secrets and reviews.
    pub audit: bool,
    /// Appended to kube-apiserver's arguments, so they win.
    pub extra_apiserver_args: Vec<String>,
}

/// How to reach a plane that is ready. `bed plane` prints it as one line of JSON.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// Path of a kubeconfig with everything inline.
    pub kubeconfig: PathBuf,
    /// `https://127.0.0.1:<port>`
    pub server: String,
    /// Path of the PEM file with the certificate authority of `server`.
    pub ca: PathBuf,
    /// A bearer token in group `system:masters`.
    pub admin_token: String,
    /// Holds `logs/`, and `processes.json` (name to process id) while the plane runs.
    pub dir: PathBuf,
    /// Path of the audit log, one JSON event a line, complete at any moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_log: Option<PathBuf>,
}

impl fmt::Debug for Ready {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ready").field("server", &self.server).field("dir", &self.dir).finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error("'{path}': {error}", path = path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("the directory '{}' holds other things; choose an empty one", .0.display())]
    NotOurs(PathBuf),
    #[error("another control plane runs in '{}'", .0.display())]
    InUse(PathBuf),
    #[error("keys could not be made: {0}")]
    Keys(#[from] rcgen::Error),
    #[error("no free port on 127.0.0.1: {0}")]
    Ports(std::io::Error),
    #[error("the HTTP client could not be made: {0}")]
    Client(#[from] reqwest::Error),
    /// `waiting_for` says what was still missing, `tail` is the end of the process's log.
    #[error("{name} was not ready within {seconds} s, still waiting for {waiting_for}; the end of its log:\n{tail}")]
    NotReady { name: String, seconds: u64, waiting_for: String, tail: String },
    #[error("the control plane process failed: {0}")]
    Process(String),
}

/// A running plane. Dropping it kills its processes and removes a temporary directory.
pub struct Plane {
    // Before `home`, so that nothing writes into the directory while it is removed.
    children: Vec<Child>,
    home: Home,
    ready: Ready,
}

impl Plane {
    /// Returns when requests are answered and the system namespaces are there.
    pub async fn start(options: PlaneOptions) -> Result<Self, PlaneError> {
        start::plane(&options).await
    }

    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The process ids, in the order of start.
    pub fn pids(&self) -> Vec<u32> {
        self.children.iter().map(Child::pid).collect()
    }

    /// Waits until one of the processes ends, which none does by itself.
    pub async fn died(&mut self) -> ChildError {
        loop {
            for child in &mut self.children {
                if let Err(error) = child.check() {
                    return error;
                }
            }
            tokio::time::sleep(WATCH_POLL).await;
        }
    }

    /// Asks the processes to end, last started first, and kills what does not. Dropping the future kills at once.
    pub async fn stop(mut self) -> Result<(), PlaneError> {
        while let Some(mut child) = self.children.pop() {
            child.stop(STOP_GRACE).await?;
        }
        self.home.close()
    }
}
