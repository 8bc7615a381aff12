//! Microsoft Graph as its documentation describes the limits: a bucket of writes and one of resource units for each tenant,
//! which fill evenly. Nothing here is taken from the budget that is measured.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use entrain::graph::{Transport, TransportError};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

/// How long a request takes.
const LATENCY: Duration = Duration::from_millis(100);
/// Usage is shown from this part of a limit on.
const SHOWN: f64 = 0.8;

/// What is given in a second, and for how many seconds it is saved up.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub rate: f64,
    pub seconds: f64,
}

pub const WRITES: Limit = Limit { rate: 20.0, seconds: 150.0 };
const UNITS: Limit = Limit { rate: 350.0, seconds: 10.0 };

struct Bucket {
    limit: Limit,
    level: f64,
    at: Instant,
}

impl Bucket {
    fn full(limit: Limit) -> Self {
        Self { limit, level: limit.rate * limit.seconds, at: Instant::now() }
    }

    /// Takes one, or answers how long a tenth of the bucket takes to be there again.
    fn take(&mut self) -> Result<f64, Duration> {
        let (now, most) = (Instant::now(), self.limit.rate * self.limit.seconds);
        self.level = (self.level + self.limit.rate * (now - self.at).as_secs_f64()).min(most);
        self.at = now;
        if self.level < 1.0 {
            let seconds = ((most / 10.0).max(1.0) - self.level) / self.limit.rate;
            return Err(Duration::from_secs_f64(seconds.clamp(1.0, 10.0)));
        }
        self.level -= 1.0;
        Ok(1.0 - self.level / most)
    }
}

pub struct Tenant {
    pub dead: bool,
    /// Whether answers say how much of a limit is used.
    pub shows_usage: bool,
    writes: Bucket,
    units: Bucket,
    pub accepted_writes: u64,
    pub refused: u64,
    pub calls: u64,
    pub logins: u64,
}

impl Tenant {
    pub fn new(writes: Limit) -> Self {
        let (writes, units) = (Bucket::full(writes), Bucket::full(UNITS));
        Self { dead: false, shows_usage: true, writes, units, accepted_writes: 0, refused: 0, calls: 0, logins: 0 }
    }

    /// Another limit from now on.
    pub fn set_writes(&mut self, limit: Limit) {
        let level = self.writes.level.min(limit.rate * limit.seconds);
        self.writes = Bucket { limit, level, at: Instant::now() };
    }

    fn answer(&mut self, write: bool) -> http::Response<Bytes> {
        self.calls += 1;
        let taken = self.units.take().map_err(|wait| (wait, "ReadWrite", "ResourceUnitLimitExceeded"));
        let taken = taken.and_then(|used| {
            if !write {
                return Ok(used);
            }
            let writes = self.writes.take().map_err(|wait| (wait, "Write", "WriteLimitExceeded"))?;
            Ok(used.max(writes))
        });
        match taken {
            Ok(used) => {
                self.accepted_writes += u64::from(write);
                let answer = http::Response::builder().status(if write { 204 } else { 200 });
                let shows = self.shows_usage && used > SHOWN;
                let answer =
                    if shows { answer.header("x-ms-throttle-limit-percentage", used.to_string()) } else { answer };
                let body = if write { "" } else { r#"{"value":[]}"# };
                answer.header("x-ms-resource-unit", 1).body(body.into()).unwrap()
            }
            Err((wait, which, why)) => {
                self.refused += 1;
                let answer =
                    http::Response::builder().status(429).header("retry-after", wait.as_secs_f64().ceil().to_string());
                let answer = answer.header("x-ms-throttle-scope", format!("Tenant_Application/{which}/app/tenant"));
                answer.header("x-ms-throttle-information", why).body(Bytes::new()).unwrap()
            }
        }
    }
}

/// All tenants, by the host that stands for each.
#[derive(Clone, Default)]
pub struct Graph(pub Arc<Mutex<HashMap<String, Tenant>>>);

impl Transport for Graph {
    fn exchange(
        &self,
        request: http::Request<Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            sleep(LATENCY).await;
            let answer = {
                let mut tenants = self.0.lock();
                let tenant = tenants.get_mut(host.trim_start_matches("login.")).unwrap();
                if host.starts_with("login.") {
                    tenant.logins += 1;
                    let token = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"token"}"#;
                    Some(http::Response::new(Bytes::from(token)))
                } else {
                    (!tenant.dead).then(|| tenant.answer(request.method() != http::Method::GET))
                }
            };
            match answer {
                Some(answer) => Ok(answer),
                None => std::future::pending().await,
            }
        }
        .boxed()
    }
}
