//! Microsoft Graph: how to ask. Knows nothing of SyncJobs, never waits on behalf of a caller, never follows a redirect,
//! and sends each request once.

mod answer;
mod breaker;
mod budget;
mod call;
mod client;
mod endpoints;
mod error;
mod gate;
mod jobs;
mod lenient;
mod limits;
mod login;
mod observer;
mod operation;
mod pages;
mod principals;
mod reader;
mod redact;
mod request;
mod retry_after;
mod schema;
mod secrets;
mod transport;

pub use breaker::Availability;
pub use budget::{Rates, Shortage};
pub use client::{Client, Options, SetupError};
pub use endpoints::{Cloud, EndpointError, Endpoints};
pub use error::{Error, Kind, Processed};
pub use jobs::{EntryCount, Execution, Job, JobError, Quarantine, Schedule, Status};
pub use limits::{ApplicationLimits, LimitSettings, Limits};
pub use login::credential::{Credential, CredentialError, Flaw, one_line};
pub use login::presented::{LoggedIn, Presented, PresentedKind};
pub use login::source::{Material, NoMaterial, Source};
pub use login::wall::WallClock;
pub use observer::{LoginResult, Observer, Seen, Shut};
pub use operation::Operation;
pub use principals::{ServicePrincipal, Template};
pub use reader::Reader;
pub use redact::redacted;
pub use request::{MaySend, Priority, Turn};
pub use schema::{Arity, FilterOperator, Given, GivenValue, ParseRequest, ParsedExpression};
pub use secrets::{SecretPair, TestOutcome, Tested, is_masked};
pub use transport::{BodyError, Transport, TransportError};

#[cfg(test)]
pub(crate) mod tests;
