//! Each kind of answer, by the call that gets it.

use std::time::Duration;

use entrain::graph::Kind;
use serde_json::json;

use super::{Talk, respond, respond_body};

#[tokio::test]
async fn each_status_is_taken_for_what_it_means() {
    let talk = Talk::begin().await;
    let cases = [
        (400, "BadRequest", Kind::Rejected),
        (401, "UnknownError", Kind::Unauthorized),
        (403, "Authorization_RequestDenied", Kind::Forbidden),
        (404, "ResourceNotFound", Kind::NotFound),
        (408, "", Kind::Unavailable),
        (409, "Conflict", Kind::Conflict),
        (412, "PreconditionFailed", Kind::Rejected),
        (423, "", Kind::Unavailable),
        (424, "", Kind::Unavailable),
        (500, "InternalServerError", Kind::Unavailable),
        (502, "", Kind::Unavailable),
        (503, "ServiceUnavailable", Kind::Unavailable),
        (504, "GatewayTimeout", Kind::Unavailable),
    ];
    for (status, code, kind) in cases {
        talk.fault("listJobs", 1, respond(status, code)).await;
        let error = talk.list().await.unwrap_err();
        assert_eq!((error.kind, error.status, error.code.as_str()), (kind, Some(status), code), "{error}");
        assert!(error.request_id.is_some() && error.date.is_some(), "{error:?}");
    }
    assert_eq!(talk.list().await.unwrap(), 0);
}

#[tokio::test]
async fn an_error_tells_where_it_came_from_and_nothing_of_a_body() {
    let talk = Talk::begin().await;
    talk.fault("listJobs", 1, respond(503, "ServiceUnavailable")).await;
    let error = talk.list().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("Listing the jobs failed: Graph answered 503 ServiceUnavailable: said the simulator"),
        "{text}"
    );
    // What differs from one failure to the next stands apart.
    let (trace, request_id) = (error.trace().unwrap(), error.request_id.unwrap());
    assert!(trace.contains(&request_id) && trace.ends_with("GMT") && !text.contains(&request_id), "{trace}: {text}");

    talk.fault("listJobs", 1, respond_body(502, "<html>a page of a proxy</html>")).await;
    let error = talk.list().await.unwrap_err();
    assert!(error.kind == Kind::Unavailable && !format!("{error:?} {error}").contains("page"), "{error:?}");
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_never_an_empty_list() {
    let talk = Talk::begin().await;
    talk.create().await.unwrap();
    for body in ["", "{}", "[]", r#"{"value":null}"#, r#"{"value":[{"templateId":"no id"}]}"#] {
        talk.fault("listJobs", 1, respond_body(200, body)).await;
        assert_eq!(talk.list().await.unwrap_err().kind, Kind::Malformed, "{body}");
    }
    for mangle in ["truncatedJson", "html"] {
        talk.fault("listJobs", 1, json!({"mangle": mangle})).await;
        assert_eq!(talk.list().await.unwrap_err().kind, Kind::Malformed, "{mangle}");
    }
    talk.fault("listJobs", 1, json!({"cutBody": {"afterBytes": 20}})).await;
    assert_eq!(talk.list().await.unwrap_err().kind, Kind::Network);
    assert_eq!(talk.list().await.unwrap(), 1);
}

#[tokio::test]
async fn an_odd_neighbour_hides_no_job_and_one_without_an_id_is_named_by_its_place() {
    let talk = Talk::begin().await;
    let sound = json!({"id": "scim.1", "templateId": "scim", "status": {"code": "Active"}});
    let odd = json!({"id": "scim.2", "schedule": null, "status": {
        "countSuccessiveCompleteFailures": "3", "steadyStateFirstAchievedTime": "", "quarantine": {"seriesCount": 1.0, "error": []},
        "lastExecution": {"countExported": {}}, "synchronizedEntryCountByType": null, "code": "Paused",
    }});
    talk.fault("listJobs", 1, respond_body(200, &json!({"value": [odd, sound]}).to_string())).await;
    let jobs = talk.client.list_jobs(talk.service_principal()).await.unwrap();
    let codes: Vec<_> = jobs.iter().map(|job| job.status.as_ref().unwrap().code.as_deref()).collect();
    assert_eq!(codes, [Some("Paused"), Some("Active")]);

    talk.fault("listJobs", 1, respond_body(200, &json!({"value": [sound, {"templateId": "canary"}]}).to_string()))
        .await;
    let error = talk.list().await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (Kind::Malformed, "the answer cannot be read at 'value[1]': 'id' is missing")
    );
}

#[tokio::test]
async fn what_graph_may_add_or_leave_out_is_no_error() {
    let talk = Talk::begin().await;
    let id = talk.create().await.unwrap();
    for (mangle, code) in [("unknownEnums", Some("Hibernating")), ("emptyStatus", None)] {
        talk.fault("listJobs", 1, json!({"mangle": mangle})).await;
        let jobs = talk.client.list_jobs(talk.service_principal()).await.unwrap();
        let status = jobs[0].status.clone().unwrap();
        assert_eq!((jobs[0].id.as_str(), status.code.as_deref()), (id.as_str(), code), "{mangle}");
    }
    talk.fault("listJobs", 1, json!({"mangle": "extraFields"})).await;
    assert_eq!(talk.list().await.unwrap(), 1);
}

#[tokio::test]
async fn a_connection_that_ends_and_an_answer_that_never_comes_are_network_trouble() {
    let talk = Talk::with(|options| options.call_timeout = Duration::from_millis(400)).await;
    talk.list().await.unwrap();
    talk.fault("listJobs", 1, json!({"drop": {}})).await;
    assert_eq!(talk.list().await.unwrap_err().kind, Kind::Network);
    talk.fault("listJobs", 1, json!({"hang": {}})).await;
    let error = talk.list().await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Network, "no answer in time"));
    assert_eq!(talk.arrived("listJobs").await, 3, "nothing is repeated");
}

#[tokio::test]
async fn a_late_answer_is_an_answer() {
    let talk = Talk::begin().await;
    talk.fault("createJob", 1, json!({"delay": {"millis": 300}})).await;
    talk.create().await.unwrap();
    assert_eq!(talk.created().await, 1);
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let talk = Talk::begin().await;
    talk.fault("listJobs", 1, respond_body(200, &" ".repeat(9 << 20))).await;
    let error = talk.list().await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
}

#[tokio::test]
async fn start_pause_and_delete_take_an_answer_without_a_body() {
    let talk = Talk::begin().await;
    let id = talk.create().await.unwrap();
    let state = async || {
        let jobs = talk.client.list_jobs(talk.service_principal()).await.unwrap();
        jobs.first().and_then(|job| job.schedule.clone()?.state)
    };
    talk.client.start_job(talk.service_principal(), &id, &|| true).await.unwrap();
    assert_eq!(state().await.as_deref(), Some("Active"));
    talk.client.pause_job(talk.service_principal(), &id, &|| true).await.unwrap();
    assert_ne!(state().await.as_deref(), Some("Active"));
    talk.client.delete_job(talk.service_principal(), &id, &|| true).await.unwrap();
    assert_eq!(state().await, None);
    let gone = talk.client.delete_job(talk.service_principal(), &id, &|| true).await.unwrap_err();
    assert_eq!(gone.kind, Kind::NotFound);
}

#[tokio::test]
async fn a_service_principal_that_is_not_there_is_not_found() {
    let talk = Talk::begin().await;
    let found = talk.client.get_service_principal(talk.service_principal()).await.unwrap();
    assert_eq!(found.id, talk.service_principal());
    let nobody = "00000000-0000-4000-8000-000000000000";
    assert_eq!(talk.client.get_service_principal(nobody).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(talk.client.list_jobs(nobody).await.unwrap_err().kind, Kind::NotFound);
}
