//! Cluster-wide tenants: the credentials that only they may have, and where theirs are looked for.

use serde_json::json;

use super::material::{Pair, certificate, register};
use super::stand::{CLIENT, SECRET, Stand, client_secret};
use crate::stack::read::{condition, ready};

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_logs_in_and_is_reported_before_it_expires() {
    let mut stand = Stand::both(&[]).await;
    let (good, expired, other) = (Pair::of(2020, 2090), Pair::of(2020, 2021), Pair::of(2020, 2090));
    register(&stand, &[&good]).await;
    let grant = json!({"allowedNamespaces": [{"namespaces": [stand.rig.namespace]}]});
    let home = stand.home.clone();
    stand.cluster_tenant("cert", &certificate(), &grant).await;
    stand.sync_job("{kind: ClusterEntraTenant, name: cert}").await;
    expired.store(&stand, &home).await;
    stand.until_cluster_tenant("cert", "has expired", |it| ready(it, "False", "CertificateExpired")).await;
    Pair { key: other.key.clone(), ..good.clone() }.store(&stand, &home).await;
    stand.until_cluster_tenant("cert", "has another key", |it| ready(it, "False", "CertificateInvalid")).await;
    other.store(&stand, &home).await;
    stand.until_cluster_tenant("cert", "is not known", |it| ready(it, "False", "CertificateNotRegistered")).await;
    good.store(&stand, &home).await;
    let tenant = stand.until_cluster_tenant("cert", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    assert_eq!(tenant["status"]["login"]["notAfterTime"], "2090-01-01T00:00:00Z");
    stand.runs().await;
    stand.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_identity_is_for_cluster_wide_tenants_that_say_so() {
    let mut stand = Stand::both(&["--operator-login=false"]).await;
    let grant = json!({"allowedNamespaces": [{"namespaces": [stand.rig.namespace]}]});
    stand.sync_job("{kind: ClusterEntraTenant, name: own}").await;
    let object = stand.rig.until("box", "has no tenant", |object| ready(object, "False", "TenantNotFound")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("no ClusterEntraTenant 'own'"), "{message}");
    stand.cluster_tenant("own", &json!({"operatorIdentity": {}}), &grant).await;
    let tenant = stand.until_cluster_tenant("own", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    assert_eq!(tenant["status"]["login"]["kind"], "OperatorIdentity");
    stand.runs().await;
    stand.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managed_identities_are_told_apart_and_belong_to_the_tenant_of_the_machine() {
    let mut stand = Stand::both(&["--operator-login=false"]).await;
    let tenant_id = stand.rig.demo.tenant_id.clone();
    let own = stand.rig.demo.client_id.clone();
    stand.application(&json!({"secrets": []})).await;
    let grant = json!({"allowedNamespaces": [{"namespaces": [stand.rig.namespace]}]});
    let both = json!([{"tenantId": tenant_id, "clientId": own}, {"tenantId": tenant_id, "clientId": CLIENT}]);
    stand.rig.control.put_managed_identities(&both).await.unwrap();
    stand.cluster_tenant("machine", &json!({"managedIdentity": {}}), &grant).await;
    stand.until_cluster_tenant("machine", "is ambiguous", |it| ready(it, "False", "ManagedIdentityAmbiguous")).await;
    stand.cluster_tenant("machine", &json!({"managedIdentity": {"clientId": CLIENT}}), &grant).await;
    stand.sync_job("{kind: ClusterEntraTenant, name: machine}").await;
    stand.until_cluster_tenant("machine", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    stand.runs().await;
    let elsewhere =
        json!({"tenantId": "11111111-2222-3333-4444-555555555555", "allowedNamespaces": grant["allowedNamespaces"]});
    stand.cluster_tenant("foreign", &json!({"managedIdentity": {"clientId": CLIENT}}), &elsewhere).await;
    stand.until_cluster_tenant("foreign", "belongs elsewhere", |it| ready(it, "False", "TenantMismatch")).await;
    stand.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_job_without_a_reference_uses_the_default_tenant_through_its_fence_and_else_the_operators_login() {
    let mut stand = Stand::both(&[]).await;
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    let (home, namespace) = (stand.home.clone(), stand.rig.namespace.clone());
    stand.secret(&home, "login", "clientSecret", SECRET).await;
    stand.rig.apply_box().await;
    stand.runs().await;
    stand.cluster_tenant("default", &client_secret(), &json!({})).await;
    stand.rig.until("box", "is not allowed", |object| ready(object, "False", "TenantNotAllowed")).await;
    let grant = json!({"allowedNamespaces": [{"namespaces": [namespace]}]});
    stand.cluster_tenant("default", &client_secret(), &grant).await;
    stand.runs().await;
    let kept = stand.rig.kubectl(&["get", "clusterentratenant", "default", "-o", "yaml"]).await;
    assert!(kept.contains("entrain.dev/tenant"), "a tenant that is used is kept: {kept}");
    stand.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_own_login_is_for_the_namespaces_that_it_names_only() {
    let mut stand = Stand::own_login(&["--operator-login-namespace=another"]).await;
    stand.rig.apply_box().await;
    let object = stand.rig.until("box", "is not allowed", |object| ready(object, "False", "TenantNotAllowed")).await;
    let message = condition(&object, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("the operator's own login is not for namespace"), "{message}");
    assert!(crate::stack::read::calls(&stand.rig.control, "token").await.is_empty(), "nothing was asked for it");
    stand.sync_job_in(&stand.rig.namespace.clone(), "{name: contoso}", &["state: Paused"]).await;
    let object = stand.rig.until("box", "names what is not served", |object| ready(object, "False", "TenantNotFound"));
    let message = condition(&object.await, "Ready")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("they are not enabled in its chart"), "{message}");
}
