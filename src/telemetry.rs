//! Logs: one line for each real change, as text or JSON, with RFC 3339 times.

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// Starts logging to standard error; `RUST_LOG` filters, `info` is the default.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}
