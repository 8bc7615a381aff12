//! Retries of a question to Graph while a person waits for the answer.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::graph::{Error, Kind};

/// Waits before a transient error is retried, where Graph names no wait.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9)];
/// The longest wait named by Graph that is respected; a longer one ends the command, because somebody is waiting.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// Retries transient errors.
pub(super) async fn patiently<T, F: Future<Output = Result<T, Error>>>(ask: impl Fn() -> F) -> Result<T, Error> {
    patiently_throttled(0, ask).await
}

/// The same, for a command that asks so much that Graph may throttle it: this many requests to wait are followed in
/// addition.
pub(super) async fn patiently_throttled<T, F: Future<Output = Result<T, Error>>>(
    mut throttled_max: usize,
    ask: impl Fn() -> F,
) -> Result<T, Error> {
    let mut waits = WAITS.into_iter();
    loop {
        let error = match ask().await {
            Err(error) if matches!(error.kind, Kind::Throttled | Kind::Unavailable | Kind::Network) => error,
            answer => return answer,
        };
        let wait = if error.kind == Kind::Throttled && throttled_max > 0 {
            throttled_max -= 1;
            WAITS[0]
        } else if let Some(wait) = waits.next() {
            wait
        } else {
            return Err(error);
        };
        let now = Instant::now();
        let until = error.retry_at.unwrap_or(now + wait);
        if until > now + WAIT_MAX {
            return Err(error);
        }
        sleep_until(until).await;
    }
}
