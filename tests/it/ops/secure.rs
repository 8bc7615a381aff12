//! Metrics for some only: HTTPS, and the API server says who may read.

use std::path::Path;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::Certificate;
use serde_json::json;

use super::as_rendered::{Addresses, container, values};
use super::free_address;
use super::rights::{Right, granted_by, used};
use crate::chart::objects;
use crate::stack::plane::shared;
use crate::stack::read::is_ready;
use crate::stack::rig::Rig;

const CERTIFICATE_MOUNT: &str = "/etc/entrain/metrics";

/// A client that trusts this certificate, or whatever it is shown.
fn client(trusted: Option<&CertifiedKey<KeyPair>>) -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    let builder = match trusted {
        Some(pair) => builder.tls_certs_only([Certificate::from_pem(pair.cert.pem().as_bytes()).unwrap()]),
        None => builder.tls_danger_accept_invalid_certs(true),
    };
    builder.build().unwrap()
}

/// Status and body; `None` where no HTTPS comes about.
async fn scrape(client: &reqwest::Client, address: &str, token: Option<&str>) -> Option<(u16, String)> {
    let port = address.rsplit(':').next().unwrap();
    let request = client.get(format!("https://localhost:{port}/metrics"));
    let request = token.iter().fold(request, reqwest::RequestBuilder::bearer_auth);
    let answer = request.send().await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.unwrap()))
}

fn certificate_in(dir: &Path) -> CertifiedKey<KeyPair> {
    let pair = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("tls.crt"), pair.cert.pem()).unwrap();
    std::fs::write(dir.join("tls.key"), pair.signing_key.serialize_pem()).unwrap();
    pair
}

impl Rig {
    /// A token of a ServiceAccount of this test's own.
    async fn service_account(&self, name: &str) -> String {
        self.kubectl(&["create", "serviceaccount", name]).await;
        self.kubectl(&["create", "token", name]).await.trim().to_owned()
    }

    async fn until_answered_with(&mut self, client: &reqwest::Client, address: &str, token: &str, code: u16) -> String {
        let said = async || scrape(client, address, Some(token)).await.filter(|(said, _)| *said == code);
        self.until_graph(&format!("a scrape is answered with {code}"), async |_| said().await.is_some()).await;
        said().await.unwrap().1
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_served_over_https_to_those_who_may_get_them_as_the_chart_sets_it_up() {
    let mut rig = Rig::idle().await;
    let addresses = Addresses { health: free_address(), metrics: free_address() };
    let mut values = values(&rig, &addresses, &json!({"leaderElection": {"enabled": false}}));
    values["metrics"]["secure"] = json!({"enabled": true, "certSecret": "tls"});
    let mut roles = objects(&[], &values).unwrap();
    roles.retain(|object| object["metadata"]["name"].to_string().contains(":metrics-"));
    for object in &roles {
        let file = rig.file("role.json", &object.to_string()).display().to_string();
        rig.kubectl(&["apply", "-f", &file]).await;
    }
    let [reader, other] = [rig.service_account("reader").await, rig.service_account("other").await];
    let dir = rig.file("ca", "").with_file_name("tls");
    certificate_in(&dir);
    std::fs::write(dir.join("tls.key"), "no key").unwrap();
    let (mount, ca) = (dir.display().to_string(), rig.simulator.ready().ca.display().to_string());
    let (args, mut env) =
        container(&values, |text| text.replace(CERTIFICATE_MOUNT, &mount).replace("/etc/entrain/ca/ca.crt", &ca));
    env.extend(rig.credentials());
    rig.spawn_operator(args, env);

    // A pair that does not fit keeps nobody but the readers waiting.
    rig.until_logged("was not taken").await;
    rig.apply_sync_job("box", &[]).await;
    rig.until("box", "is ready", is_ready).await;
    let first = certificate_in(&dir);
    let (https, address) = (client(Some(&first)), addresses.metrics.clone());
    assert_eq!(rig.until_answered_with(&https, &address, &reader, 403).await, "");
    let account = format!("--serviceaccount={}:reader", rig.namespace);
    let role = "--clusterrole=entrain-system:entrain:metrics-reader";
    rig.kubectl(&["create", "clusterrolebinding", &rig.namespace, role, &account]).await;
    let text = rig.until_answered_with(&https, &address, &reader, 200).await;
    assert!(text.contains("controller_runtime_max_concurrent_reconciles"), "{text}");

    let status = async |token: Option<&str>| scrape(&https, &address, token).await.map(|(status, _)| status);
    assert_eq!(status(Some(&other)).await, Some(403));
    for nobody in [None, Some("nonsense"), Some(&reader[..reader.len() - 4])] {
        assert_eq!(status(nobody).await, Some(401));
    }
    assert_eq!(super::get(&address, "/metrics").await, None, "it answers without HTTPS");

    let second = certificate_in(&dir);
    rig.until_answered_with(&client(Some(&second)), &address, &reader, 200).await;
    assert_eq!(scrape(&https, &address, Some(&reader)).await, None, "the old certificate is still shown");
    assert!(!rig.operator_log().contains(&reader), "a token is in the log");

    roles.retain(|object| object["metadata"]["name"].to_string().contains(":metrics-auth"));
    let granted = granted_by(&roles);
    assert_eq!(granted.difference(&used().0).collect::<Vec<_>>(), Vec::<&Right>::new(), "granted and never used");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_refused_without_a_word_while_the_api_server_is_away() {
    let mut rig = Rig::idle().await;
    let (address, nowhere) = (free_address(), free_address());
    let mut kubeconfig = shared().operator_kubeconfig();
    kubeconfig["clusters"][0]["cluster"]["server"] = json!(format!("https://{nowhere}"));
    let kubeconfig = rig.file("nowhere", &kubeconfig.to_string()).display().to_string();
    rig.more_env = vec![("KUBECONFIG".to_owned(), kubeconfig)];
    rig.start_operator_with(&["--metrics-secure", &format!("--metrics-bind-address={address}")]);
    let anybody = client(None);
    assert_eq!(rig.until_answered_with(&anybody, &address, "some-token", 503).await, "");
    assert_eq!(scrape(&anybody, &address, None).await, Some((401, String::new())));
    rig.until_logged("cannot review the token").await;
    assert!(!rig.operator_log().contains("some-token"), "a token is in the log");
}
