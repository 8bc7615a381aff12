//! Schemas: read, saved and tried, in each way in which that can end.

use std::time::Duration;

use entrain::graph::{Availability, Error, Given, GivenValue, Kind, ParseRequest, ParsedExpression, Processed};
use serde_json::{Value, json};

use super::{Talk, respond, respond_body, respond_with};

const CALLS: [&str; 5] = ["getSchema", "getTemplateSchema", "putSchema", "parseExpression", "filterOperators"];
const JOIN: &str = r#"Join(" ", "EXT", [displayName])"#;

impl Talk {
    async fn read(&self, job: &str) -> Result<Value, Error> {
        self.client.read_schema(self.service_principal(), job).await
    }

    async fn save_schema(&self, job: &str, schema: &Value) -> Result<(), Error> {
        self.client.save_schema(self.service_principal(), job, schema, &|| true).await
    }

    async fn parse(&self, job: &str, expression: &str, given: Option<Given<'_>>) -> Result<ParsedExpression, Error> {
        let target = json!({"name": "displayName", "type": "String"});
        let request = ParseRequest { expression, target: Some(&target), given };
        self.client.parse_expression(self.service_principal(), job, request).await
    }

    /// The service sorts; here a place in a list is to stay the same.
    async fn in_the_order_of_the_caller(&self) {
        let settings = json!({"schemaOrder": "asSent", "directoryVersions": "kept"});
        self.control.put_tenant(&self.demo.tenant_id, &settings).await.unwrap();
    }

    /// The outcome of each call, in the order of [`CALLS`].
    async fn each(&self, job: &str) -> [Result<(), Error>; 5] {
        let sp = self.service_principal();
        [
            self.read(job).await.map(drop),
            self.client.read_template_schema(sp, &self.demo.template_id).await.map(drop),
            self.save_schema(job, &json!({"synchronizationRules": []})).await,
            self.parse(job, "[mail]", None).await.map(drop),
            self.client.list_filter_operators(sp, job).await.map(drop),
        ]
    }
}

/// Without what the service stamps and what is about the one answer.
fn content(schema: &Value) -> Value {
    let mut schema = schema.clone();
    let members = schema.as_object_mut().unwrap();
    members.retain(|name, _| name != "version" && !name.starts_with("@odata."));
    schema
}

#[tokio::test]
async fn a_schema_that_is_saved_as_it_was_read_with_one_change_is_the_schema_with_that_change() {
    let talk = Talk::begin().await;
    talk.in_the_order_of_the_caller().await;
    let job = talk.create().await.unwrap();
    let mut schema = talk.read(&job).await.unwrap();
    assert!(schema["directories"].is_array() && schema["@odata.context"].is_string());
    schema["synchronizationRules"][0]["objectMappings"][0]["enabled"] = json!(false);
    talk.save_schema(&job, &schema).await.unwrap();
    let read = talk.read(&job).await.unwrap();
    assert_eq!(read["synchronizationRules"][0]["objectMappings"][0]["enabled"], json!(false));
    assert_eq!(content(&read)["directories"], content(&schema)["directories"]);
    let template = talk.client.read_template_schema(talk.service_principal(), &talk.demo.template_id).await.unwrap();
    assert_eq!(template["synchronizationRules"][0]["objectMappings"][0]["enabled"], json!(true));
}

#[tokio::test]
async fn an_expression_is_parsed_and_evaluated_or_graph_says_why_not() {
    let talk = Talk::begin().await;
    let job = talk.create().await.unwrap();
    let before = talk.control.ledger().await.unwrap();
    let properties = [
        ("displayName".to_owned(), GivenValue::Text("Anna".to_owned())),
        ("otherMails".to_owned(), GivenValue::Texts(vec!["a".to_owned(), "b".to_owned()])),
    ];
    let given = Some(Given { object: Some("User"), properties: &properties });
    let parsed = talk.parse(&job, JOIN, given).await.unwrap();
    assert_eq!((parsed.parsing_succeeded, parsed.evaluation_succeeded), (Some(true), Some(true)));
    assert_eq!((parsed.evaluation_result, parsed.error), (vec!["EXT Anna".to_owned()], None));
    let source = parsed.parsed_expression.unwrap();
    assert_eq!((&source["type"], &source["name"]), (&json!("Function"), &json!("Join")));
    let wrong = talk.parse(&job, "Join(", given).await.unwrap();
    assert_eq!((wrong.parsing_succeeded, wrong.parsed_expression), (Some(false), None));
    assert!(wrong.error.is_some_and(|(code, message)| code == "ParsingFailed" && !message.is_empty()));
    assert_eq!(talk.control.ledger().await.unwrap(), before, "nothing is changed");
}

#[tokio::test]
async fn the_operators_of_filters_are_listed() {
    let talk = Talk::begin().await;
    let job = talk.create().await.unwrap();
    let operators = talk.client.list_filter_operators(talk.service_principal(), &job).await.unwrap();
    let equals = operators.iter().find(|operator| operator.name == "EQUALS").unwrap();
    assert_eq!(
        (&equals.arity, &equals.types[..]),
        (&entrain::graph::Arity::Binary, &["String", "Integer"].map(str::to_owned)[..])
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_a_cloud_without_the_call_is_known_by_its_answer() {
    let talk = Talk::begin().await;
    for (call, outcome) in CALLS.iter().zip(talk.each("no-such-job").await) {
        let unknown = outcome.err().map(|error| (error.kind, error.is_unknown_route(), error.processed));
        let expected = (*call != "getTemplateSchema").then_some((Kind::NotFound, false, Processed::No));
        assert_eq!(unknown, expected, "{call}");
    }
    let job = talk.create().await.unwrap();
    let url = "No HTTP resource was found that matches the request URI 'https://syncfabric.example.test/api'.";
    let body = json!({"error": {"code": "UnknownError", "message": json!({"Message": url}).to_string()}}).to_string();
    talk.fault("parseExpression", 1, respond_body(404, &body)).await;
    let error = talk.parse(&job, "[mail]", None).await.unwrap_err();
    assert!(error.kind == Kind::NotFound && error.is_unknown_route(), "{error:?}");
}

#[tokio::test]
async fn each_call_takes_a_refusal_for_what_it_is_and_repeats_nothing() {
    for (status, code, kind, processed) in [
        (400, "BadRequest", Kind::Rejected, Processed::No),
        (401, "UnknownError", Kind::Unauthorized, Processed::No),
        (403, "Authorization_RequestDenied", Kind::Forbidden, Processed::No),
        (404, "ResourceNotFound", Kind::NotFound, Processed::No),
        (500, "InternalServerError", Kind::Unavailable, Processed::Unknown),
        (502, "BadGateway", Kind::Unavailable, Processed::Unknown),
        (503, "ServiceUnavailable", Kind::Unavailable, Processed::Unknown),
    ] {
        let talk = Talk::begin().await;
        let job = talk.create().await.unwrap();
        for call in CALLS {
            talk.lasting_fault(call, respond(status, code)).await;
        }
        for (call, outcome) in CALLS.iter().zip(talk.each(&job).await) {
            let error = outcome.unwrap_err();
            assert_eq!((error.kind, error.processed, error.status), (kind, processed, Some(status)), "{call}");
            assert!(error.message.contains("said the simulator"), "{call}: {error}");
            assert_eq!(talk.arrived(call).await, 1, "{call} {status}");
        }
    }
}

#[tokio::test]
async fn a_throttled_call_shuts_the_gate_for_as_long_as_the_answer_asks() {
    for (index, call) in CALLS.iter().enumerate() {
        let talk = Talk::begin().await;
        let job = talk.create().await.unwrap();
        talk.fault(call, 1, respond_with(429, "retry-after", "60")).await;
        let outcomes = talk.each(&job).await;
        for (at, outcome) in outcomes.into_iter().enumerate() {
            let throttled = outcome.err().map(|error| (error.kind, error.retry_at.is_some()));
            assert_eq!(throttled, (at >= index).then_some((Kind::Throttled, true)), "{call} {at}");
        }
        assert!(matches!(talk.client.availability(), Availability::Shut { .. }), "{call}");
    }
}

#[tokio::test]
async fn a_lost_answer_of_a_save_leaves_open_which_schema_is_stored() {
    let talk = Talk::with(|options| options.call_timeout = Duration::from_millis(500)).await;
    talk.in_the_order_of_the_caller().await;
    let job = talk.create().await.unwrap();
    let mut schema = talk.read(&job).await.unwrap();
    for commit in [false, true] {
        for action in ["drop", "hang", "respond"] {
            let mut mark = |name: &str| {
                schema["synchronizationRules"][0]["objectMappings"][0]["name"] = json!(name);
                schema.clone()
            };
            talk.save_schema(&job, &mark("before")).await.unwrap();
            let mut detail = json!({"commit": commit});
            if action == "respond" {
                detail["status"] = json!(502);
            }
            talk.fault("putSchema", 1, json!({action: detail})).await;
            let arrived = talk.arrived("putSchema").await;
            let error = talk.save_schema(&job, &mark("after")).await.unwrap_err();
            assert_eq!(error.processed, Processed::Unknown, "{action}: {error}");
            assert_eq!(talk.arrived("putSchema").await - arrived, 1, "{action}: it is not repeated");
            let stored = talk.read(&job).await.unwrap();
            let stored = &stored["synchronizationRules"][0]["objectMappings"][0]["name"];
            assert_eq!(stored, if commit { "after" } else { "before" }, "{action}");
        }
    }
}

#[tokio::test]
async fn a_refused_schema_changes_nothing_and_what_may_not_be_sent_does_not_leave() {
    let talk = Talk::begin().await;
    let job = talk.create().await.unwrap();
    let before = content(&talk.read(&job).await.unwrap());
    let error = talk.save_schema(&job, &json!({})).await.unwrap_err();
    assert_eq!((error.kind, error.processed), (Kind::Rejected, Processed::No));
    assert!(error.message.contains("synchronizationRules"), "{error}");
    let arrived = talk.arrived("putSchema").await;
    let withheld = talk.client.save_schema(talk.service_principal(), &job, &json!({}), &|| false).await;
    assert_eq!((withheld.unwrap_err().kind, talk.arrived("putSchema").await), (Kind::Withheld, arrived));
    assert_eq!(content(&talk.read(&job).await.unwrap()), before);
}

/// The object id of our own service principal.
const OURS: &str = "5f0e7a10-6d0a-4f0e-9f52-8a4f3f1f7a11";

/// Of each call, whether a client with this role may make it.
async fn permitted(role: &str, owner: bool) -> [bool; 5] {
    let talk = Talk::begin().await;
    let job = talk.create().await.unwrap();
    let (tenant, client) = (&talk.demo.tenant_id, &talk.demo.client_id);
    let application = json!({"secrets": [{"value": talk.demo.client_secret}], "roles": [role]});
    talk.control.put_application(tenant, client, &application).await.unwrap();
    talk.control.put_service_principal(tenant, OURS, &json!({"appId": client})).await.unwrap();
    let owners = if owner { vec![OURS] } else { Vec::new() };
    let principal = json!({"templates": [talk.demo.template_id], "owners": owners});
    talk.control.put_service_principal(tenant, talk.service_principal(), &principal).await.unwrap();
    talk.control.revoke_tokens().await.unwrap();
    talk.each(&job).await.map(|outcome| {
        let kind = outcome.err().map(|error| error.kind);
        assert!(kind.is_none_or(|kind| kind == Kind::Unauthorized), "{kind:?}");
        kind.is_none()
    })
}

#[tokio::test]
async fn reading_needs_the_right_to_read_and_trying_an_expression_the_right_to_write() {
    assert_eq!(permitted("Synchronization.ReadWrite.All", false).await, [true; 5]);
    assert_eq!(permitted("Application.ReadWrite.OwnedBy", true).await, [true; 5]);
    assert_eq!(permitted("Application.ReadWrite.OwnedBy", false).await, [false; 5]);
    assert_eq!(permitted("Synchronization.Read.All", false).await, [true, true, false, false, false]);
    assert_eq!(permitted("Application.Read.All", true).await, [false; 5]);
}

/// Those of the product have 8 MiB; a document of half a megabyte is far from it, and one without end is not read.
#[tokio::test]
async fn a_large_schema_is_read_and_one_without_end_is_refused() {
    let talk = Talk::begin().await;
    let job = talk.create().await.unwrap();
    let large = |bytes: usize| json!({"synchronizationRules": [], "filler": "x".repeat(bytes)}).to_string();
    talk.fault("getSchema", 1, respond_body(200, &large(4 * 1024 * 1024))).await;
    assert_eq!(talk.read(&job).await.unwrap()["filler"].as_str().unwrap().len(), 4 * 1024 * 1024);
    talk.fault("getSchema", 1, respond_body(200, &large(9 * 1024 * 1024))).await;
    let error = talk.read(&job).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Refused, "the answer is larger than 8 MiB"));
}
