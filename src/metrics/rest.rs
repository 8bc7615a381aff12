//! Requests to the Kubernetes API, under client-go's names: a layer around the client that only observes.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, Request, Response, StatusCode, Uri};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::reconcile::SECONDS;
use super::table;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answer {
    code: String,
    method: String,
    host: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Verb {
    verb: String,
    host: String,
}

/// Counts and measures the requests to one API server. Clones share the numbers.
#[derive(Clone, Debug)]
pub struct RestMetrics {
    host: String,
    requests: Family<Answer, Counter>,
    seconds: Family<Verb, Histogram>,
}

impl RestMetrics {
    /// For the API server at this address.
    pub fn new(address: &Uri) -> Self {
        Self {
            host: address.authority().map(ToString::to_string).unwrap_or_default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        table::REST_REQUESTS.register(registry, self.requests.clone());
        table::REST_SECONDS.register(registry, self.seconds.clone());
    }
}

impl<S> Layer<S> for RestMetrics {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, metrics: self.clone() }
    }
}

/// A client whose requests are counted and measured.
#[derive(Clone, Debug)]
pub struct Measured<S> {
    inner: S,
    metrics: RestMetrics,
}

impl<S, B, A> Service<Request<B>> for Measured<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let metrics = self.metrics.clone();
        let mut sent = Sent { metrics, method: request.method().clone(), began: Instant::now(), code: None };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            sent.answered(answer.as_ref().ok().map(Response::status));
            answer
        })
    }
}

/// A request in flight; it is counted when dropped, so that a cancelled one counts too.
struct Sent {
    metrics: RestMetrics,
    method: Method,
    began: Instant,
    code: Option<StatusCode>,
}

impl Sent {
    fn answered(&mut self, code: Option<StatusCode>) {
        self.code = code;
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let RestMetrics { host, requests, seconds } = &self.metrics;
        let code = self.code.map_or_else(|| "<error>".to_owned(), |code| code.as_str().to_owned());
        let method = self.method.to_string();
        seconds
            .get_or_create(&Verb { verb: method.clone(), host: host.clone() })
            .observe(self.began.elapsed().as_secs_f64());
        requests.get_or_create(&Answer { code, method, host: host.clone() }).inc();
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::FutureExt;
    use prometheus_client::encoding::text::encode;
    use tower::service_fn;

    use super::*;

    fn request(method: Method) -> Request<()> {
        Request::builder().method(method).uri("/api/v1/secrets").body(()).unwrap()
    }

    #[tokio::test]
    async fn each_request_counts_once_by_its_status_or_as_an_error_and_goes_through_unchanged() {
        let (mut registry, mut text) = (Registry::default(), String::new());
        let metrics = RestMetrics::new(&Uri::from_static("https://10.0.0.1:6443/base"));
        metrics.register(&mut registry);
        let mut client = metrics.layer(service_fn(async |request: Request<()>| match request.method().as_str() {
            "GET" => Ok(Response::builder().status(404).body(request.uri().path().to_owned()).unwrap()),
            "PUT" => Err("no answer"),
            _ => pending().await,
        }));
        let answer = client.call(request(Method::GET)).await.unwrap();
        assert_eq!((answer.status(), answer.body().as_str()), (StatusCode::NOT_FOUND, "/api/v1/secrets"));
        assert_eq!(client.call(request(Method::PUT)).await.unwrap_err(), "no answer");
        assert!(client.call(request(Method::POST)).now_or_never().is_none(), "nobody waits for it any more");
        encode(&mut text, &registry).unwrap();
        for (code, method) in [("404", "GET"), ("<error>", "PUT"), ("<error>", "POST")] {
            let host = "host=\"10.0.0.1:6443\"";
            let counted = format!("rest_client_requests_total{{code=\"{code}\",method=\"{method}\",{host}}} 1\n");
            let measured = format!("rest_client_request_duration_seconds_count{{verb=\"{method}\",{host}}} 1\n");
            assert!(text.contains(&counted) && text.contains(&measured), "{counted}{measured} {text}");
        }
    }
}
