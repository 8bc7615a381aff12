//! Microsoft Graph: how to ask. Knows nothing of SyncJobs, never waits on behalf of a caller, never follows a redirect,
//! and sends each request once.

mod call;
mod client;
mod credential;
mod endpoints;
mod error;
mod gate;
mod lenient;
mod login;
mod observer;
mod person;
mod retry_after;
mod send;
mod tenant;
mod token;
mod transport;
mod wire;

pub use call::MaySend;
pub use client::{Client, Options, SetupError};
pub use credential::{Credential, CredentialError};
pub use endpoints::{Cloud, EndpointError, Endpoints};
pub use error::{Error, Kind, Operation, Processed};
pub use observer::{LoginResult, Observer, Seen};
pub use transport::{BodyError, Transport, TransportError};
pub use wire::{EntryCount, Execution, Job, JobError, Quarantine, Schedule, ServicePrincipal, Status, Template};

#[cfg(test)]
mod tests;
