//! All metrics: name, kind, labels and meaning of each, once. Registration takes them from here, and so does the page of the
//! documentation.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Metric, Registry};

/// What a metric is called and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// As queries name it; a histogram has `_bucket`, `_sum` and `_count` after it.
    pub name: &'static str,
    pub kind: MetricType,
    /// Without the `le` of a histogram.
    pub labels: &'static [&'static str],
    help: &'static str,
}

impl Spec {
    /// What the metric means, as a sentence.
    pub fn help(&self) -> &'static str {
        self.help.trim_ascii()
    }

    /// OpenMetrics names a family without the suffix that its samples have.
    fn family(&self) -> &'static str {
        let suffix = match self.kind {
            MetricType::Counter => "_total",
            MetricType::Info => "_info",
            MetricType::Gauge | MetricType::Histogram | MetricType::Unknown => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }

    pub(super) fn register(&self, registry: &mut Registry, metric: impl Metric) {
        // The registry ends the sentence itself.
        registry.register(self.family(), self.help().trim_end_matches('.'), metric);
    }

    /// Registers a family that has a series for these labels from the start, and answers with that one.
    pub(super) fn register_one<S, M, C>(&self, registry: &mut Registry, family: &Family<S, M, C>, labels: &S) -> M
    where
        S: Clone + std::hash::Hash + Eq,
        M: Clone,
        C: MetricConstructor<M>,
        Family<S, M, C>: Metric + Clone,
    {
        self.register(registry, family.clone());
        family.get_or_create_owned(labels)
    }

    pub(super) fn describe<'a>(&'a self, encoder: &'a mut DescriptorEncoder) -> Result<MetricEncoder<'a>, fmt::Error> {
        encoder.encode_descriptor(self.family(), self.help(), None, self.kind)
    }
}

/// A gauge of one series that is computed at each scrape.
pub(super) struct Computed<L, F> {
    pub spec: Spec,
    pub labels: L,
    pub value: F,
}

impl<L, F> fmt::Debug for Computed<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec.name)
    }
}

impl<L, F> Collector for Computed<L, F>
where
    L: EncodeLabelSet + Send + Sync + 'static,
    F: Fn() -> f64 + Send + Sync + 'static,
{
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        ConstGauge::new((self.value)()).encode(self.spec.describe(&mut encoder)?.encode_family(&self.labels)?)
    }
}

macro_rules! table {
    ($($(#[doc = $help:literal])+ $spec:ident: $kind:ident $name:literal $labels:expr;)+) => {
        $(pub(super) const $spec: Spec =
            Spec { name: $name, kind: MetricType::$kind, labels: &$labels, help: concat!($($help),+) };)+

        /// In the order in which the documentation shows them.
        pub const METRICS: &[Spec] = &[$($spec,)+];
    };
}

table! {
    /// The version that runs; always 1.
    BUILD: Info "entrain_build_info" ["version"];

    /// The conditions of each SyncJob: 1 for the status and reason that a condition has.
    SYNC_JOB_CONDITION: Gauge "entrain_syncjob_condition" ["namespace", "name", "template", "type", "status", "reason"];
    /// Whether the service keeps the job in quarantine (1) or not (0).
    SYNC_JOB_QUARANTINED: Gauge "entrain_syncjob_quarantined" ["namespace", "name"];
    /// When the service will disable the job if its quarantine lasts.
    SYNC_JOB_DISABLED_AFTER: Gauge "entrain_syncjob_disabled_after_timestamp_seconds" ["namespace", "name"];
    /// When the last successful cycle of the job ended.
    SYNC_JOB_LAST_SUCCESS: Gauge "entrain_syncjob_last_success_timestamp_seconds" ["namespace", "name"];
    /// Whole cycles of the job in a row that failed.
    SYNC_JOB_FAILURES: Gauge "entrain_syncjob_successive_failures" ["namespace", "name"];

    /// Calls to Microsoft Graph by outcome, those that were held back included: class is success or the kind of
    /// failure, code is the HTTP status, or 0 if there was no answer or nothing was sent.
    GRAPH_REQUESTS: Counter "entrain_graph_requests_total" ["tenant", "operation", "class", "code"];
    /// How long calls to Microsoft Graph took, waiting for a free slot and for a token included.
    GRAPH_SECONDS: Histogram "entrain_graph_request_duration_seconds" ["tenant", "operation"];
    /// For how much longer no call is sent, because Microsoft Graph asked to wait; 0 if it did not.
    GRAPH_THROTTLED: Gauge "entrain_graph_throttled_seconds" ["tenant"];
    /// Whether calls are held back because Microsoft Graph or the login service gave no answer several times in a row (1) or
    /// not (0); one call at a time then goes as a probe.
    GRAPH_UNANSWERED: Gauge "entrain_graph_breaker_open" ["tenant"];
    /// The rate in a second that calls keep to, adapted to what Microsoft Graph shows: kind is units (the cost of requests) or
    /// writes.
    GRAPH_BUDGET_RATE: Gauge "entrain_graph_budget_rate" ["tenant", "kind"];
    /// Calls that waited before they were sent, or in vain: for a slot of the requests in flight (slots), for the budget of the
    /// tenant (units, writes), or for that of the application over all tenants (application).
    GRAPH_BUDGET_WAITS: Counter "entrain_graph_budget_waits_total" ["tenant", "shortage"];
    /// How long these calls waited, added up.
    GRAPH_BUDGET_WAIT_SECONDS: Counter "entrain_graph_budget_wait_seconds_total" ["tenant", "shortage"];
    /// Logins by result: success, refused or unavailable.
    LOGIN_REQUESTS: Counter "entrain_login_requests_total" ["tenant", "result"];

    /// Passes by result: success (nothing to do until the object changes), requeue_after (looked at again at a set time), or
    /// error.
    RECONCILE_TOTAL: Counter "controller_runtime_reconcile_total" ["controller", "result"];
    /// Passes that ended in trouble.
    RECONCILE_ERRORS: Counter "controller_runtime_reconcile_errors_total" ["controller"];
    /// Passes that panicked; they count as errors too.
    RECONCILE_PANICS: Counter "controller_runtime_reconcile_panics_total" ["controller"];
    /// SyncJobs whose finalizer went although their job may remain in Entra ID: each is a job that nobody manages.
    LEFT_BEHIND: Counter "entrain_jobs_left_behind_total" [];
    /// How long passes took.
    RECONCILE_SECONDS: Histogram "controller_runtime_reconcile_time_seconds" ["controller"];
    /// Passes in flight.
    ACTIVE_WORKERS: Gauge "controller_runtime_active_workers" ["controller"];
    /// How many passes may be in flight at the same time.
    CONCURRENCY: Gauge "controller_runtime_max_concurrent_reconciles" ["controller"];

    /// Objects that are due and whose pass has not begun; those that wait for a later time are not among them.
    QUEUE_DEPTH: Gauge "workqueue_depth" ["name", "controller"];
    /// Objects put into the queue: by a change that the watch passed on, or by a pass that asked for another one later. What
    /// waits for an earlier time already is not counted again.
    QUEUE_ADDS: Counter "workqueue_adds_total" ["name", "controller"];
    /// Time from when an object was due until its pass started.
    QUEUE_SECONDS: Histogram "workqueue_queue_duration_seconds" ["name", "controller"];
    /// How long objects taken from the queue were worked on.
    QUEUE_WORK_SECONDS: Histogram "workqueue_work_duration_seconds" ["name", "controller"];
    /// The ages of all passes in flight, added up.
    QUEUE_UNFINISHED: Gauge "workqueue_unfinished_work_seconds" ["name", "controller"];
    /// The age of the oldest pass in flight; 0 if there is none.
    QUEUE_LONGEST: Gauge "workqueue_longest_running_processor_seconds" ["name", "controller"];
    /// Passes that ended in trouble and asked for another one.
    QUEUE_RETRIES: Counter "workqueue_retries_total" ["name", "controller"];

    /// When the watch over SyncJobs last showed an event or a bookmark; of several watches, the one that has been silent for
    /// longest. 0 before the first list, and for an operator that waits for the lease.
    WATCH_LAST_EVENT: Gauge "entrain_watch_last_event_timestamp_seconds" [];

    /// Requests to the Kubernetes API by HTTP status; <error> if there was no answer or its caller gave up. A watch
    /// counts once, when it is answered.
    REST_REQUESTS: Counter "rest_client_requests_total" ["code", "method", "host"];
    /// From the request to the head of the answer of the Kubernetes API.
    REST_SECONDS: Histogram "rest_client_request_duration_seconds" ["verb", "host"];

    /// Whether this process holds the lease of this name (1) or waits for it (0); absent without leader election.
    LEADER: Gauge "leader_election_master_status" ["name"];
}
