//! Histograms whose buckets carry a trace as exemplar, where traces are sent.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::TraceContextExt;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub(super) type TracedHistogram = HistogramWithExemplars<Trace>;

/// A trace that is sent to a collector.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Trace {
    trace_id: String,
}

impl Trace {
    /// The trace of the current span; `None` if it is not sent.
    pub fn current() -> Option<Self> {
        let context = tracing::Span::current().context();
        let span = context.span();
        let traced = span.span_context();
        traced.is_sampled().then(|| Self { trace_id: traced.trace_id().to_string() })
    }
}

pub(super) fn observe(histogram: &TracedHistogram, took: Duration, trace: Option<Trace>) {
    histogram.observe(took.as_secs_f64(), trace, Some(SystemTime::now()));
}
