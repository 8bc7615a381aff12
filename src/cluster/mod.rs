//! Kubernetes: how SyncJobs are read and written. Knows nothing of Graph; never writes without a precondition.

pub mod access;
pub mod events;
pub mod fingerprint;
pub mod lease;
pub mod namespaces;
pub mod object;
pub mod proxy;
pub mod read;
pub mod revisions;
pub mod secrets;
pub mod stored;
pub mod watch;

use std::time::Duration;

pub use namespaces::Namespaces;

/// The longest time one call to the API server may take. The client itself has no read timeout.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a call to the API server did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object is not the one that was decided on any more; nothing was written.
    #[error("the object changed in the meantime")]
    Changed,
    /// The object does not exist any more; nothing was written.
    #[error("the object is gone")]
    Gone,
    /// The API server refused for good: a right is missing, or a policy or the schema says no. Nothing was written.
    #[error("{0}")]
    Refused(String),
    /// No answer, or one that says nothing about the object. A write may have happened.
    #[error("{0}")]
    Unavailable(String),
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.is_conflict() => Self::Changed,
            kube::Error::Api(status) if status.is_not_found() => Self::Gone,
            kube::Error::Api(status) if matches!(status.code, 400 | 401 | 403 | 422) => {
                Self::Refused(capped(&format!("{} ({})", status.message, status.code)))
            }
            kube::Error::Api(status) => Self::Unavailable(capped(&format!("{} ({})", status.message, status.code))),
            other => Self::Unavailable(capped(&other.to_string())),
        }
    }
}

async fn bounded<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
    match tokio::time::timeout(CALL_TIMEOUT, call).await {
        Ok(answer) => answer.map_err(Error::from),
        Err(_) => Err(Error::Unavailable(format!("no answer within {} s", CALL_TIMEOUT.as_secs()))),
    }
}

fn capped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
