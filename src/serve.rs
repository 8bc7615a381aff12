//! Probes and metrics over plain HTTP.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// What probes ask about.
pub trait Health: Send + Sync + 'static {
    /// Whether the process can go on; `false` has it restarted. Never depends on Graph, the API server or leadership.
    fn is_live(&self) -> bool;
    /// Whether the process has come up. Never depends on Graph or leadership.
    fn is_ready(&self) -> bool;
}

/// Answers `/livez` and `/readyz` until dropped.
pub async fn probes(listener: TcpListener, health: Arc<impl Health>) -> io::Result<()> {
    let verdict = |good: bool| if good { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ok") };
    let (live, ready) = (health.clone(), health);
    let router = Router::new()
        .route("/livez", get(async move || verdict(live.is_live())))
        .route("/readyz", get(async move || verdict(ready.is_ready())));
    axum::serve(listener, router).await
}

/// Answers `/metrics` until dropped.
pub async fn metrics(listener: TcpListener, metrics: Arc<Metrics>) -> io::Result<()> {
    axum::serve(listener, Router::new().route("/metrics", get(async move || text(&metrics)))).await
}

fn text(metrics: &Metrics) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
