//! Probes and metrics over HTTP.

mod access;
mod certificate;
mod limited;
mod probes;
pub mod secure;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

use crate::metrics::{Format, Metrics};

pub use certificate::{Certificate, CertificateError, Files};
pub use probes::{Check, Health, probes};

/// Serves `/metrics` until dropped.
pub async fn metrics(listener: TcpListener, metrics: Arc<Metrics>) -> io::Result<()> {
    let server = limited::limited(axum_server::from_tcp(listener.into_std()?)?);
    server.serve(metrics_routes(metrics).into_make_service()).await
}

/// Gzip for clients that accept it: a scrape of thousands of SyncJobs is megabytes of repetitive text.
fn metrics_routes(metrics: Arc<Metrics>) -> Router {
    let answer = async move |headers: HeaderMap| text(&metrics, accepted(&headers));
    Router::new().route("/metrics", get(answer)).layer(CompressionLayer::new().gzip(true))
}

fn text(metrics: &Metrics, format: Format) -> Response {
    match metrics.text(format) {
        Ok(text) => ([(header::CONTENT_TYPE, format.content_type())], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// OpenMetrics for clients that accept it, because only that format carries exemplars.
fn accepted(headers: &HeaderMap) -> Format {
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let open = ranges.flat_map(|value| value.split(',')).any(|range| {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        let refused = parameters.split(';').filter_map(|one| one.trim().strip_prefix("q=")).any(is_zero);
        name.trim().eq_ignore_ascii_case("application/openmetrics-text") && !refused
    });
    if open { Format::OpenMetrics } else { Format::Prometheus }
}

fn is_zero(weight: &str) -> bool {
    weight.parse() == Ok(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_clients_that_accept_it() {
        let format =
            |accept: &'static str| accepted(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]));
        for accept in [
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; version=1.0.0",
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        ] {
            assert_eq!(format(accept), Format::OpenMetrics, "{accept}");
        }
        for accept in ["*/*", "text/plain", "text/html,application/xml;q=0.9", "application/openmetrics-text;q=0, */*"]
        {
            assert_eq!(format(accept), Format::Prometheus, "{accept}");
        }
        assert_eq!(accepted(&HeaderMap::new()), Format::Prometheus);
    }
}
