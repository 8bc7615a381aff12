//! `spec.rateLimit`: a tenant is asked no more than it says, and as much as Graph gives once it says nothing.

use bed::graph::Control;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::stand::{SECRET, Stand, client_secret};
use crate::life::BOX;
use crate::stack::read::{graph_calls, is_ready, ready};

const MANY: usize = 16;

/// SyncJobs of a tenant with this limit begin all at once. No request leaves before the first instant, so that a slow machine
/// makes the bound wider and never breaks it.
async fn keeps_to(limit: &Value, per_second: f64, counted: fn(&Value) -> bool) {
    let mut stand = Stand::namespaced().await;
    let namespace = stand.rig.namespace.clone();
    stand.application(&json!({"secrets": [{"value": SECRET}]})).await;
    stand.secret(&namespace, "login", "clientSecret", SECRET).await;
    stand.tenant_with("contoso", &client_secret(), &json!({"rateLimit": limit})).await;
    stand.until_tenant("contoso", "is logged in", |it| ready(it, "True", "LoggedIn")).await;
    let began = Instant::now();
    stand.rig.create_crowd(MANY, &[BOX], &["tenantRef: {name: contoso}"]).await;
    let count = async |control: &Control| graph_calls(control).await.iter().filter(|call| counted(call)).count();
    stand.rig.until_graph("some have arrived", async |control| count(control).await >= 4).await;
    // Time in which the others would arrive as well.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let arrived = u32::try_from(count(&stand.rig.control).await).unwrap();
    let most = 2.0 + per_second * began.elapsed().as_secs_f64();
    assert!(f64::from(arrived) <= most, "{arrived} arrived, and at most {most} may");

    stand.tenant("contoso", &client_secret()).await;
    stand.rig.until_all("run without the limit", MANY, is_ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_writes_arrive_in_a_minute_than_the_tenant_allows() {
    keeps_to(&json!({"writesPerMinute": 30}), 0.5, |call| call["method"] != "GET").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_arrive_in_a_second_than_the_tenant_allows() {
    keeps_to(&json!({"requestsPerSecond": 1}), 1.0, |_| true).await;
}
