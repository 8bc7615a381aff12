//! A client that is the operator of a release, with the rights that the chart gives it, and remembers what it asked.

use std::sync::Arc;

use http::Request;
use http::header::ACCEPT;
use kube::client::{Body, ClientBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig};
use parking_lot::Mutex;
use serde_json::json;
use tower::ServiceExt;

use super::plane::ChartPlane;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    pub accept: String,
}

impl Asked {
    /// Whether the answer can hold metadata and nothing else.
    pub fn is_metadata_only(&self) -> bool {
        self.accept.contains("as=PartialObjectMetadata") && !self.accept.split(',').any(|kind| !kind.contains(";as="))
    }
}

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Asked>>>);

impl Log {
    pub fn all(&self) -> Vec<Asked> {
        self.0.lock().clone()
    }

    fn note(&self, request: &Request<Body>) {
        let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.0.lock().push(Asked {
            method: request.method().to_string(),
            path: request.uri().path_and_query().unwrap().to_string(),
            accept: accept.to_owned(),
        });
    }
}

/// As the ServiceAccount of the release `rights` in this namespace.
pub async fn operator(plane: &ChartPlane, token: &str) -> (kube::Client, Log) {
    let ready = plane.ready();
    let kubeconfig: Kubeconfig = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": ready.server, "certificate-authority": ready.ca}}],
        "users": [{"name": "operator", "user": {"token": token}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "operator"}}],
    }))
    .unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.proxy_url = None;
    let log = Log::default();
    let noted = log.clone();
    let layer = tower::layer::layer_fn(move |inner| {
        let noted = noted.clone();
        ServiceExt::<Request<Body>>::map_request(inner, move |request: Request<Body>| {
            noted.note(&request);
            request
        })
    });
    (ClientBuilder::try_from(config).unwrap().with_layer(&layer).build(), log)
}

/// A token of that ServiceAccount.
pub fn token(plane: &ChartPlane, namespace: &str) -> String {
    plane.kubectl(&["create", "token", "rights-entrain", "-n", namespace], "").unwrap().trim().to_owned()
}
