//! Lists in pages: all of them or none, and never from another host.

use std::time::Duration;

use bed::graph::Simulator;
use entrain::graph::Kind;
use serde_json::{Value, json};

use super::{Talk, options, respond_body, secret_of};

/// A page with one job of this id, and a link.
fn page(id: &str, next: &str) -> Value {
    let body = json!({"value": [{"id": id, "templateId": "scim"}], "@odata.nextLink": next});
    respond_body(200, &body.to_string())
}

impl Talk {
    fn jobs_url(&self, query: &str) -> String {
        let (root, id) = (&self.simulator.ready().url, self.service_principal());
        format!("{root}/v1.0/servicePrincipals/{id}/synchronization/jobs{query}")
    }
}

#[tokio::test]
async fn every_page_is_read() {
    let talk = Talk::begin().await;
    let (tenant, sp) = (talk.demo.tenant_id.clone(), talk.demo.service_principal_id.clone());
    talk.control.put_tenant(&tenant, &json!({"pageSize": 2})).await.unwrap();
    let ids = ["scim.1", "scim.2", "scim.3", "scim.4", "scim.5"];
    for id in ids {
        talk.control.put_job(&tenant, &sp, id, &json!({"templateId": "scim"})).await.unwrap();
    }
    let jobs = talk.client.list_jobs(&sp).await.unwrap();
    let mut listed: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    listed.sort_unstable();
    assert_eq!(listed, ids);
    assert_eq!(talk.arrived("listJobs").await, 3);
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let talk = Talk::begin().await;
    talk.fault("listJobs", 1, page("scim.1", &talk.jobs_url("?$skiptoken=a"))).await;
    talk.fault("listJobs", 1, super::respond(500, "")).await;
    assert_eq!(talk.list().await.unwrap_err().kind, Kind::Unavailable);
}

#[tokio::test]
async fn pages_that_lead_in_a_circle_end() {
    let talk = Talk::begin().await;
    talk.lasting_fault("listJobs", page("scim.1", &talk.jobs_url(""))).await;
    let error = talk.list().await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Refused, "the list of pages does not end"));
    assert_eq!(talk.arrived("listJobs").await, 1);
}

/// A client that would trust the other host's certificate, and what that host saw of it.
async fn tempted(action: impl FnOnce(&str) -> Value) -> (Kind, Value) {
    let other = Simulator::start(bed::graph::Options::default()).await.unwrap();
    let talk = Talk::begin().await;
    let mut both = options(&talk.simulator);
    both.ca_pem.as_mut().unwrap().extend(std::fs::read(&other.ready().ca).unwrap());
    let client = super::client(both, secret_of(&talk.demo));
    talk.fault("listJobs", 1, action(&other.ready().url)).await;
    let error = client.list_jobs(talk.service_principal()).await.unwrap_err();
    let seen = bed::graph::Control::new(other.ready()).unwrap().calls().await.unwrap();
    (error.kind, seen["value"].clone())
}

#[tokio::test]
async fn a_link_to_another_host_is_refused_and_the_host_never_sees_the_token() {
    let outcome = tempted(|url| json!({"foreignNextLink": {"url": format!("{url}/v1.0/servicePrincipals")}})).await;
    assert_eq!(outcome, (Kind::Refused, json!([])));
    for foreign in ["http://localhost/v1.0/x", "/v1.0/relative", "not a link"] {
        assert_eq!(tempted(|_| json!({"foreignNextLink": {"url": foreign}})).await.0, Kind::Refused, "{foreign}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let outcome = tempted(|url| json!({"redirect": {"location": format!("{url}/v1.0/servicePrincipals")}})).await;
    assert_eq!(outcome, (Kind::Refused, json!([])));
}

#[tokio::test]
async fn all_pages_together_have_one_time_limit() {
    let talk = Talk::with(|options| options.list_timeout = Duration::from_millis(700)).await;
    talk.list().await.unwrap();
    let (tenant, sp) = (talk.demo.tenant_id.clone(), talk.demo.service_principal_id.clone());
    talk.control.put_tenant(&tenant, &json!({"pageSize": 1})).await.unwrap();
    for id in ["scim.1", "scim.2", "scim.3", "scim.4"] {
        talk.control.put_job(&tenant, &sp, id, &json!({"templateId": "scim"})).await.unwrap();
    }
    talk.lasting_fault("listJobs", json!({"delay": {"millis": 300}})).await;
    let error = talk.list().await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Network, "no answer in time"));
}

#[tokio::test]
async fn all_pages_together_have_one_limit_of_size() {
    let talk = Talk::begin().await;
    let filling = "x".repeat(6 << 20);
    for number in 0..3 {
        let next = talk.jobs_url(&format!("?$skiptoken={number}"));
        let body = json!({"value": [], "@odata.nextLink": next, "filling": filling});
        talk.fault("listJobs", 1, respond_body(200, &body.to_string())).await;
    }
    let error = talk.list().await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(error.message, "the pages of the list are larger than 16 MiB together");
}
