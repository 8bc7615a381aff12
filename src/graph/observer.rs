//! Who is told of calls, for metrics.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::Instant;

use super::error::Operation;

/// A call that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub operation: Operation,
    /// `success`, or the name of the kind of failure.
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
    pub const ALL: [Self; 3] = [Self::Success, Self::Refused, Self::Unavailable];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

pub trait Observer: Debug + Send + Sync {
    /// A call to Graph has ended.
    fn call(&self, seen: &Seen);
    /// A login has ended.
    fn login(&self, result: LoginResult);
    /// Nothing is sent until this instant.
    fn gate_closed(&self, until: Instant);
}

/// Tells nobody.
#[derive(Debug)]
pub(super) struct Nobody;

impl Observer for Nobody {
    fn call(&self, _: &Seen) {}
    fn login(&self, _: LoginResult) {}
    fn gate_closed(&self, _: Instant) {}
}
