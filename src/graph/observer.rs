//! What is notified of calls and logins, for metrics.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::Instant;

use super::budget::Shortage;
use super::operation::Operation;

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub operation: Operation,
    /// `success`, or the name of the kind of failure; `Target` where that may be the failure of a target and says nothing
    /// about Graph.
    pub class: &'static str,
    /// The HTTP status; `None` if there was no answer, or nothing was sent.
    pub status: Option<u16>,
    /// With the waiting for a free slot and for a token.
    pub took: Duration,
}

/// How a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginResult {
    Success,
    Refused,
    Unavailable,
}

impl LoginResult {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Success, Self::Refused, Self::Unavailable];

    /// As metrics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// Graph asked to wait.
    Throttled,
    /// Several requests or logins in a row got no answer; after the wait, one goes as a probe.
    Unanswered,
}

/// Is notified of each call and each login of a client.
pub trait Observer: Debug + Send + Sync {
    /// A call to Graph has ended.
    fn call(&self, seen: &Seen);
    /// A login has ended.
    fn login(&self, result: LoginResult);
    /// Nothing is sent until this instant.
    fn shut(&self, until: Instant, why: Shut);
    /// There are answers again, after `Shut::Unanswered`.
    fn opened(&self);
    /// A call has waited for what it needs to be sent, whether it got it or not.
    fn waited(&self, shortage: Shortage, took: Duration);
    /// The rates that calls keep to, in a second.
    fn rates(&self, units: f64, writes: f64);
}

/// Ignores everything.
#[derive(Debug)]
pub(super) struct Ignore;

impl Observer for Ignore {
    fn call(&self, _: &Seen) {}
    fn login(&self, _: LoginResult) {}
    fn shut(&self, _: Instant, _: Shut) {}
    fn opened(&self) {}
    fn waited(&self, _: Shortage, _: Duration) {}
    fn rates(&self, _: f64, _: f64) {}
}
