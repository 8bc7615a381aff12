//! The state of SyncJobs, read from the store at each scrape.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use super::table::{self, Spec};
use crate::api::{ConditionType, SyncJob};

type Shown = dyn Fn() -> Vec<Arc<SyncJob>> + Send + Sync;

/// The source of the objects at a scrape.
pub struct Objects(Box<Shown>);

impl Objects {
    pub fn new(shown: impl Fn() -> Vec<Arc<SyncJob>> + Send + Sync + 'static) -> Self {
        Self(Box::new(shown))
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Objects")
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Object {
    namespace: String,
    name: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Condition {
    namespace: String,
    name: String,
    template: String,
    r#type: String,
    status: String,
    reason: String,
}

fn object(sync_job: &SyncJob) -> Object {
    Object { namespace: sync_job.namespace().unwrap_or_default(), name: sync_job.name_any() }
}

fn seconds(time: Option<&Time>) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
    time.map(|time| time.0.as_second() as f64)
}

/// A gauge that an object has, or has not.
type Gauge = (Spec, fn(&SyncJob) -> Option<f64>);

const GAUGES: [Gauge; 4] = [
    (table::SYNC_JOB_QUARANTINED, |sync_job| {
        let status = sync_job.status.as_ref()?;
        status.report.job.as_ref()?;
        Some(f64::from(u8::from(status.report.quarantine.is_some())))
    }),
    (table::SYNC_JOB_DISABLED_AFTER, |sync_job| {
        seconds(sync_job.status.as_ref()?.report.quarantine.as_ref()?.disabled_after_time.as_ref())
    }),
    (table::SYNC_JOB_LAST_SUCCESS, |sync_job| {
        seconds(sync_job.status.as_ref()?.report.job.as_ref()?.last_success_time.as_ref())
    }),
    (table::SYNC_JOB_FAILURES, |sync_job| {
        let job = sync_job.status.as_ref()?.report.job.as_ref()?;
        #[expect(clippy::cast_precision_loss, reason = "a count of cycles is far below 2^52")]
        Some(job.successive_failure_count.unwrap_or_default() as f64)
    }),
];

/// The most series that one SyncJob has: one for each condition and one for each gauge.
pub const SERIES_PER_OBJECT: usize = ConditionType::SYNC_JOB.len() + GAUGES.len();

impl Collector for Objects {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let sync_jobs = (self.0)();
        let mut family = table::SYNC_JOB_CONDITION.describe(&mut encoder)?;
        for sync_job in &sync_jobs {
            let Object { namespace, name } = object(sync_job);
            for condition in sync_job.status.iter().flat_map(|status| &status.report.conditions) {
                let labels = Condition {
                    namespace: namespace.clone(),
                    name: name.clone(),
                    template: sync_job.spec.template_id.clone(),
                    r#type: condition.type_.clone(),
                    status: condition.status.clone(),
                    reason: condition.reason.clone(),
                };
                ConstGauge::new(1_i64).encode(family.encode_family(&labels)?)?;
            }
        }
        for (spec, value) in GAUGES {
            let mut family = spec.describe(&mut encoder)?;
            for sync_job in &sync_jobs {
                if let Some(value) = value(sync_job) {
                    ConstGauge::new(value).encode(family.encode_family(&object(sync_job))?)?;
                }
            }
        }
        Ok(())
    }
}
