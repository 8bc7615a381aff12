//! Retries of a question to Graph while a person waits for the answer.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::graph::{Error, Kind};

/// Waits before a transient error is retried, where Graph names no wait.
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9)];
/// The longest wait named by Graph that is respected; a longer one ends the command, because somebody is waiting.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// How often a command that asks thousands of questions follows a request to wait in addition, for each of them.
const THROTTLED_MAX: usize = 20;

/// Retries transient errors.
pub(super) async fn patiently<T, F: Future<Output = Result<T, Error>>>(ask: impl Fn() -> F) -> Result<T, Error> {
    retried(0, ask).await
}

/// The same, for a command that asks so much that Graph throttles it.
pub(super) async fn very_patiently<T, F: Future<Output = Result<T, Error>>>(ask: impl Fn() -> F) -> Result<T, Error> {
    retried(THROTTLED_MAX, ask).await
}

async fn retried<T, F: Future<Output = Result<T, Error>>>(
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
