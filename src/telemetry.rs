//! Logs: one line for each real change, as text or JSON, with RFC 3339 times. And traces, if the standard variables of
//! OpenTelemetry name a collector: one for each pass, with the calls to Graph in it.

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::args::LogFormat;

const SERVICE: &str = "entrain";
/// The login libraries log every refusal in several lines; ours logs it once.
const QUIET: &str = "azure_core=warn,azure_identity=warn,typespec_client_core=warn";
/// `opentelemetry.io/docs/specs/otel/protocol/exporter`
const COLLECTORS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// Sends what is left when dropped.
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(|provider| provider.shutdown()) {
            eprintln!("entrain: cannot send the last traces: {error}");
        }
    }
}

/// Starts logging to standard error; `RUST_LOG` filters, `info` is the default. Starts tracing over OTLP (HTTP with
/// protobuf) if `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set and `OTEL_SDK_DISABLED` is not true.
pub fn start(format: LogFormat) -> Result<Telemetry, ExporterBuildError> {
    let level = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
    // Of two directives for one target the later one counts, so RUST_LOG can turn them on again.
    let filter = EnvFilter::new(format!("{QUIET},{level}"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let provider = traces()?;
    let traced = provider.as_ref().map(|provider| {
        // Only ours: the spans of the exporter's own requests would cause further spans.
        let ours = Targets::new().with_target(SERVICE, Level::DEBUG);
        tracing_opentelemetry::layer().with_tracer(provider.tracer(SERVICE)).with_filter(ours)
    });
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(traced).init();
    Ok(Telemetry(provider))
}

fn traces() -> Result<Option<SdkTracerProvider>, ExporterBuildError> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let disabled = std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    if disabled || !COLLECTORS.iter().any(|name| set(name)) {
        return Ok(None);
    }
    let resource = Resource::builder();
    let resource = if set("OTEL_SERVICE_NAME") { resource } else { resource.with_service_name(SERVICE) };
    let exporter = SpanExporter::builder().with_http().build()?;
    Ok(Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build()))
}
