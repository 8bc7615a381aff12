//! kubectl against one plane, with nothing of the user's own configuration.

use std::io;
use std::path::{Path, PathBuf};

use tokio::process::Command;

#[derive(Debug, thiserror::Error)]
pub enum KubectlError {
    #[error("kubectl could not be started: {0}")]
    Start(io::Error),
    /// `message` is what it wrote to stderr.
    #[error("`kubectl {arguments}` failed: {message}")]
    Failed { arguments: String, message: String },
}

pub(super) struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    /// Discovery of a server that will be gone must not stay in the user's cache for whoever gets its port next.
    cache: PathBuf,
}

impl Kubectl {
    pub(super) fn new(program: PathBuf, kubeconfig: PathBuf, cache: PathBuf) -> Self {
        Self { program, kubeconfig, cache }
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// What it wrote to stdout.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<String, KubectlError> {
        let mut command = Command::new(&self.program);
        command.arg("--cache-dir").arg(&self.cache).args(arguments).env("KUBECONFIG", &self.kubeconfig);
        let output = command.kill_on_drop(true).output().await.map_err(KubectlError::Start)?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(KubectlError::Failed { arguments: arguments.join(" "), message });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
