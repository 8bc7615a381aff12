//! `/metrics` over HTTPS, for callers whom the API server authenticates and authorises to `get` it.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use kube::Client;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::access::{Key, Verdict, Verdicts, bearer, unauthenticated};
use super::certificate::Certificate;
use crate::cluster::{self, access};
use crate::metrics::Metrics;

/// The right that a reader needs, as it stands in a ClusterRole.
const VERB: &str = "get";
const PATH: &str = "/metrics";
/// The most reviews in flight: trying tokens must not flood the API server.
const REVIEWS_MAX: usize = 4;

struct Guard {
    client: Client,
    verdicts: Mutex<Verdicts>,
    reviews: Semaphore,
}

/// Serves `/metrics` until dropped.
pub async fn metrics(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    certificate: Certificate,
    client: Client,
) -> io::Result<()> {
    let guard = Guard { client, verdicts: Mutex::default(), reviews: Semaphore::new(REVIEWS_MAX) };
    let router = guarded(super::metrics_routes(metrics), Arc::new(guard));
    let server =
        super::limited::limited(axum_server::from_tcp_rustls(listener.into_std()?, certificate.config.clone())?);
    tokio::select! {
        outcome = server.serve(router.into_make_service()) => outcome,
        () = certificate.follow() => Ok(()),
    }
}

/// Unauthorised callers are refused before routing, so even a 404 reveals nothing.
fn guarded(router: Router, guard: Arc<Guard>) -> Router {
    router.layer(from_fn_with_state(guard, admit))
}

async fn admit(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let Some(token) = bearer(request.headers()) else { return unauthenticated() };
    match guard.verdict(token).await {
        Ok(verdict) => match verdict.refusal() {
            Some(refusal) => refusal,
            None => next.run(request).await,
        },
        Err(error) => {
            tracing::warn!(%error, "cannot review the token of a request for metrics");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

impl Guard {
    async fn verdict(&self, token: &str) -> Result<Verdict, cluster::Error> {
        let key = Key::of(token);
        if let Some(verdict) = self.recall(key) {
            return Ok(verdict);
        }
        // The semaphore is never closed, so that this cannot fail.
        let _review = self.reviews.acquire().await;
        // Another request with this token may have been reviewed meanwhile.
        if let Some(verdict) = self.recall(key) {
            return Ok(verdict);
        }
        let user = access::authenticate(&self.client, token).await?;
        let authenticated = user.is_some();
        let may = match user {
            Some(user) => access::may(&self.client, user, VERB, PATH).await?,
            None => false,
        };
        let verdict = Verdict::of(authenticated, may);
        self.verdicts.lock().remember(key, verdict, Instant::now());
        Ok(verdict)
    }

    fn recall(&self, key: Key) -> Option<Verdict> {
        self.verdicts.lock().recall(key, Instant::now())
    }
}
