//! The time of day, for certificates that expire and for people who read when a token was obtained.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Says what time of day it is.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl WallClock {
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// That of this machine.
    #[expect(
        clippy::disallowed_methods,
        reason = "the default of an option; a caller whose time is paused gives another"
    )]
    pub fn machine() -> Self {
        Self::new(Timestamp::now)
    }

    pub(in crate::graph) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}
