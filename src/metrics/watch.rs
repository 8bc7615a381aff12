//! When the watch last showed something, worked out at each scrape.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use super::table::WATCH_LAST_EVENT;

type Silent = dyn Fn() -> Option<Duration> + Send + Sync;

/// For how long the watch has shown nothing.
pub struct Silence(Box<Silent>);

impl Silence {
    pub fn new(silent: impl Fn() -> Option<Duration> + Send + Sync + 'static) -> Self {
        Self(Box::new(silent))
    }
}

impl Collector for Silence {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let last = (self.0)().map_or(0.0, |silent| last(SystemTime::now(), silent));
        ConstGauge::new(last).encode(WATCH_LAST_EVENT.describe(&mut encoder)?)
    }
}

impl fmt::Debug for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Silence")
    }
}

fn last(now: SystemTime, silent: Duration) -> f64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(silent).as_secs_f64()
}
