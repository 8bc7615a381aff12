//! Schemas on their way: what is sent, what is made of an answer, and that no part of a document is in an error.

use serde_json::{Value, json};

use super::super::{
    Arity, Client, Error, FilterOperator, Given, GivenValue, Kind, ParseRequest, ParsedExpression, Processed,
};
use super::fake::{Fake, Reply};

const EXPRESSION: ParseRequest<'static> = ParseRequest { expression: "[mail]", target: None, given: None };

/// Method, path below the service principals, and body of the last request.
fn last(fake: &Fake) -> (String, Value) {
    let arrived = fake.arrived.lock();
    let last = arrived.last().unwrap();
    let head = last.head.replace("https://graph.example.test/v1.0/servicePrincipals/", "");
    (head, serde_json::from_slice(&last.body).unwrap_or_default())
}

fn schema() -> Value {
    json!({
        "@odata.context": "x", "id": "a", "version": "6.0", "canary": [{"unknown": null}],
        "synchronizationRules": [{"id": "r", "objectMappings": [{"name": null, "unknown": {"deep": [1.5, -7]}}]}],
    })
}

#[tokio::test(start_paused = true)]
async fn each_request_has_its_form() {
    let fake = Fake::new();
    let client = fake.client();
    fake.graph(Reply::body(200, &schema().to_string()));
    client.read_schema("sp", "a/b").await.unwrap();
    assert_eq!(last(&fake), ("GET sp/synchronization/jobs/a%2Fb/schema".to_owned(), Value::Null));
    client.read_template_schema("sp", "t.1").await.unwrap();
    assert_eq!(last(&fake), ("GET sp/synchronization/templates/t.1/schema".to_owned(), Value::Null));
    fake.graph(Reply::body(204, ""));
    client.save_schema("sp", "a/b", &schema(), &|| true).await.unwrap();
    assert_eq!(last(&fake), ("PUT sp/synchronization/jobs/a%2Fb/schema".to_owned(), schema()));
    fake.graph(Reply::body(200, "{}"));
    let properties = [("mail".to_owned(), GivenValue::Texts(Vec::new()))];
    let given = Some(Given { object: None, properties: &properties });
    client.parse_expression("sp", "a/b", ParseRequest { given, ..EXPRESSION }).await.unwrap();
    let properties = json!([{"key": "mail", "value@odata.type": "#Collection(String)", "value": []}]);
    let body = json!({"expression": "[mail]", "testInputObject": {"properties": properties}});
    assert_eq!(last(&fake), ("POST sp/synchronization/jobs/a%2Fb/schema/parseExpression".to_owned(), body));
    fake.graph(Reply::empty_list());
    client.list_filter_operators("sp", "a/b").await.unwrap();
    assert_eq!(last(&fake), ("GET sp/synchronization/jobs/a%2Fb/schema/filterOperators".to_owned(), Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_schema_is_read_with_all_its_members_or_not_at_all() {
    let fake = Fake::new();
    let client = fake.client();
    fake.graph(Reply::body(200, &schema().to_string()));
    assert_eq!(client.read_schema("sp", "job").await.unwrap(), schema());
    for body in [
        "{}",
        r#"{"synchronizationRules":null,"canary":1}"#,
        r#"{"value":[],"canary":1}"#,
        r#"["canary"]"#,
        "<html>canary",
        r#"{"synchronizationRules":[{"canary"#,
        "",
    ] {
        fake.graph(Reply::body(200, body));
        let error = client.read_schema("sp", "job").await.unwrap_err();
        assert!(error.kind == Kind::Malformed && !format!("{error:?}").contains("canary"), "{body}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_schema_of_several_megabytes_is_read() {
    let fake = Fake::new();
    let mut large = schema();
    large["directories"] = (0..40_000).map(|n| json!({"name": format!("attribute {n}"), "caseExact": false})).collect();
    let body = large.to_string();
    assert!(body.len() > 1024 * 1024);
    fake.graph(Reply::body(200, &body));
    assert_eq!(fake.client().read_schema("sp", "job").await.unwrap(), large);
}

#[tokio::test(start_paused = true)]
async fn a_schema_that_may_not_be_sent_does_not_leave() {
    let fake = Fake::new();
    let error = fake.client().save_schema("sp", "job", &schema(), &|| false).await.unwrap_err();
    assert_eq!((error.kind, fake.calls()), (Kind::Withheld, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_of_a_save_leaves_open_which_schema_is_stored() {
    let fake = Fake::new();
    let client = fake.client();
    for (reply, processed) in [
        (Reply::Hangs, Processed::Unknown),
        (Reply::NoAnswer, Processed::Unknown),
        (Reply::body(502, ""), Processed::Unknown),
        (Reply::body(200, "<html>canary"), Processed::Unknown),
        (Reply::Unsent, Processed::No),
        (Reply::body(400, ""), Processed::No),
    ] {
        fake.graph(reply.clone());
        let (arrived, error) = (fake.calls(), client.save_schema("sp", "job", &schema(), &|| true).await.unwrap_err());
        assert_eq!((error.processed, fake.calls() - arrived), (processed, 1), "{reply:?}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

/// What each call makes of a refusal.
async fn refused(client: &Client) -> [Error; 5] {
    [
        client.read_schema("sp", "job").await.unwrap_err(),
        client.read_template_schema("sp", "t").await.unwrap_err(),
        client.save_schema("sp", "job", &schema(), &|| true).await.unwrap_err(),
        client.parse_expression("sp", "job", EXPRESSION).await.unwrap_err(),
        client.list_filter_operators("sp", "job").await.unwrap_err(),
    ]
}

#[tokio::test(start_paused = true)]
async fn the_message_of_a_refusal_is_short_and_has_no_personal_data() {
    let (fake, long) = (Fake::new(), "a word ".repeat(999));
    let message = format!("Invalid expression for anna@example.test: Bearer canary: {long}");
    fake.graph(Reply::body(400, &json!({"error": {"code": "BadRequest", "message": message}}).to_string()));
    for error in refused(&fake.client()).await {
        assert_eq!((error.kind, error.code.as_str(), error.processed), (Kind::Rejected, "BadRequest", Processed::No));
        assert!(error.message.starts_with("Invalid expression for […]: Bearer […]"), "{error}");
        assert!(error.message.chars().count() <= 256 && !error.message.contains("canary"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_graph_does_not_know_differs_from_an_object_that_it_does_not_know() {
    let fake = Fake::new();
    let error = |code: &str| json!({"error": {"code": code, "message": "canary"}}).to_string();
    for (status, body, unknown) in [
        (404, error("UnknownError"), true),
        (404, String::new(), true),
        (405, String::new(), true),
        (501, String::new(), true),
        (404, error("ResourceNotFound"), false),
        (404, error("Request_ResourceNotFound"), false),
        (400, error("UnknownError"), false),
        (401, error("UnknownError"), false),
    ] {
        fake.graph(Reply::body(status, &body));
        for error in refused(&fake.client()).await {
            assert_eq!(error.is_unknown_route(), unknown, "{status} {body}");
        }
    }
    fake.graph(Reply::NoAnswer);
    assert!(!fake.client().read_schema("sp", "job").await.unwrap_err().is_unknown_route());
}

/// What the client makes of an answer about an expression.
async fn parsed(body: &Value) -> ParsedExpression {
    let fake = Fake::new();
    fake.graph(Reply::body(200, &body.to_string()));
    fake.client().parse_expression("sp", "job", EXPRESSION).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_an_answer_about_an_expression_what_can_be_read_is_read() {
    let source = json!({"type": "Function", "name": "Join", "parameters": [{"key": "a", "value": {"unknown": 1}}]});
    let whole = parsed(&json!({
        "@odata.context": "x", "parsingSucceeded": true, "evaluationSucceeded": false, "parsedExpression": source,
        "evaluationResult": ["a", "", null, 7, true, {}],
        "error": {"code": "EvaluationFailed", "message": "no [mail] of anna@example.test", "details": []},
    }))
    .await;
    assert_eq!((whole.parsing_succeeded, whole.evaluation_succeeded), (Some(true), Some(false)));
    assert_eq!(whole.evaluation_result, ["a", "", "7", "true"]);
    assert_eq!(whole.parsed_expression, Some(source));
    assert_eq!(whole.error, Some(("EvaluationFailed".to_owned(), "no [mail] of […]".to_owned())));
    for nothing in [json!({}), json!({"evaluationResult": null, "parsedExpression": null, "error": null})] {
        assert_eq!(parsed(&nothing).await, ParsedExpression::default(), "{nothing}");
    }
    let odd = json!({"parsingSucceeded": "True", "evaluationResult": "a", "parsedExpression": "[mail]", "error": "x"});
    let odd = parsed(&odd).await;
    assert_eq!(odd, ParsedExpression { parsing_succeeded: Some(true), ..ParsedExpression::default() });
}

#[tokio::test(start_paused = true)]
async fn no_part_of_a_document_and_no_value_is_printed() {
    let shown = parsed(&json!({"parsedExpression": {"name": "canary"}, "evaluationResult": ["canary"]})).await;
    let shown = format!("{shown:?} {shown:#?}");
    assert!(shown.contains("parsing_succeeded") && !shown.contains("canary"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn operators_are_read_with_what_graph_adds_and_leaves_out() {
    let fake = Fake::new();
    let equals = json!({"name": "EQUALS", "arity": "Binary", "multivaluedComparisonType": "All",
        "supportedAttributeTypes": ["String", "Integer"]});
    let value = json!([equals, {"id": "IS NULL", "arity": "unary"}, {"name": "NEW", "arity": "Ternary"}, {"arity": "Unary"},
        {"name": "BARE", "supportedAttributeTypes": null}]);
    fake.graph(Reply::body(200, &json!({"value": value}).to_string()));
    let operator =
        |name: &str, arity| FilterOperator { name: name.to_owned(), arity, multivalued: None, types: vec![] };
    let equals = FilterOperator {
        multivalued: Some("All".to_owned()),
        types: vec!["String".to_owned(), "Integer".to_owned()],
        ..operator("EQUALS", Arity::Binary)
    };
    assert_eq!(
        fake.client().list_filter_operators("sp", "job").await.unwrap(),
        [
            equals,
            operator("IS NULL", Arity::Unary),
            operator("NEW", Arity::Other("Ternary".to_owned())),
            operator("BARE", Arity::Other(String::new())),
        ]
    );
}
