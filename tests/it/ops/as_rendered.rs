//! The operator, started with exactly the arguments and the environment that the chart renders, as the chart's own
//! ServiceAccount. What a kubelet would do, mounting files and resolving references, is done here.

use serde_json::{Value, json};

use super::{free_address, get};
use crate::chart::{objects, only};
use crate::stack::read::is_ready;
use crate::stack::rig::Rig;

const TOKEN_MOUNT: &str = "/var/run/secrets/azure/tokens/azure-identity-token";
const CA_MOUNT: &str = "/etc/entrain/ca/ca.crt";

/// Where the probes and the metrics are, of one rendering for this rig with more values.
pub(super) struct Addresses {
    pub(super) health: String,
    pub(super) metrics: String,
}

fn port(address: &str) -> u16 {
    address.rsplit(':').next().unwrap().parse().unwrap()
}

pub(super) fn values(rig: &Rig, addresses: &Addresses, more: &Value) -> Value {
    let graph = rig.simulator.ready();
    let mut values = json!({
        "watchNamespaces": [rig.namespace],
        "bindAddress": "127.0.0.1",
        "health": {"port": port(&addresses.health)},
        "metrics": {"port": port(&addresses.metrics)},
        "caBundle": {"configMap": "graph-ca"},
        "extraArgs": [format!("--graph-url={}", graph.url)],
        "extraEnv": [{"name": "AZURE_AUTHORITY_HOST", "value": graph.login}],
    });
    values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    values
}

/// The container's arguments and environment, with `resolve` in the place of the kubelet.
pub(super) fn container(values: &Value, resolve: impl Fn(&str) -> String) -> (Vec<String>, Vec<(String, String)>) {
    let rendered = objects(&[], values).unwrap();
    let container = only(&rendered, "Deployment")["spec"]["template"]["spec"]["containers"][0].clone();
    let text = |value: &Value| resolve(value.as_str().unwrap());
    let env = container["env"].as_array().unwrap().iter().map(|variable| {
        let from = &variable["valueFrom"]["secretKeyRef"]["key"];
        (variable["name"].as_str().unwrap().to_owned(), text(if from.is_string() { from } else { &variable["value"] }))
    });
    (container["args"].as_array().unwrap().iter().map(text).collect(), env.collect())
}

async fn runs(mut rig: Rig, addresses: &Addresses) {
    rig.apply_sync_job("box", &[]).await;
    rig.until("box", "is ready", is_ready).await;
    assert_eq!(get(&addresses.health, "/readyz").await, Some((200, "ok".to_owned())));
    let (_, scrape) = get(&addresses.metrics, "/metrics").await.unwrap();
    assert!(scrape.contains(r#"leader_election_master_status{name="entrain"} 1"#), "{scrape}");
    assert_eq!(rig.stop_operator(std::time::Duration::from_secs(10)).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_runs_as_the_chart_starts_it_with_a_client_secret() {
    let _lease = super::LEASE.lock().await;
    let mut rig = Rig::idle().await;
    let addresses = Addresses { health: free_address(), metrics: free_address() };
    let values = values(&rig, &addresses, &json!({"credentials": {"existingSecret": "entrain-credentials"}}));
    let (demo, ca) = (rig.demo.clone(), rig.simulator.ready().ca.display().to_string());
    let (args, env) = container(&values, |text| match text {
        "tenantId" => demo.tenant_id.clone(),
        "clientId" => demo.client_id.clone(),
        "clientSecret" => demo.client_secret.clone(),
        _ => text.replace(CA_MOUNT, &ca),
    });
    rig.spawn_operator(args, env);
    runs(rig, &addresses).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_runs_as_the_chart_starts_it_with_workload_identity() {
    let _lease = super::LEASE.lock().await;
    let mut rig = Rig::idle().await;
    let addresses = Addresses { health: free_address(), metrics: free_address() };
    let audience = "api://AzureADTokenExchange";
    let arguments = ["create", "token", "entrain", "-n", "entrain-system", &format!("--audience={audience}")];
    let token = rig.file("token", rig.plane.kubectl(&arguments).trim()).display().to_string();
    let server = &rig.plane.ready().server;
    let application = json!({
        "roles": ["Synchronization.ReadWrite.All", "Application.Read.All"],
        "federatedCredentials": [{"issuer": format!("{server}/"), "subject": crate::stack::plane::OPERATOR_USER, "audience": audience}],
    });
    let client = uuid::Uuid::new_v4().to_string();
    rig.control.put_application(&rig.demo.tenant_id, &client, &application).await.unwrap();
    let identity = json!({"enabled": true, "projectedToken": true, "clientId": client, "tenantId": rig.demo.tenant_id});
    let values = values(&rig, &addresses, &json!({"workloadIdentity": identity}));
    let ca = rig.simulator.ready().ca.display().to_string();
    let (args, env) = container(&values, |text| text.replace(TOKEN_MOUNT, &token).replace(CA_MOUNT, &ca));
    assert!(env.iter().all(|(name, _)| name != "AZURE_CLIENT_SECRET"));
    rig.spawn_operator(args, env);
    runs(rig, &addresses).await;
}
