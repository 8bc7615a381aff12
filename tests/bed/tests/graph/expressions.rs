//! Operators, functions and `parseExpression` (CONTRACT §3.11).

use serde_json::{Value, json};

use super::support::{Answer, Bed, TENANT};

const PARSE: &str = "templates/scim/schema/parseExpression";

async fn ask(bed: &Bed, expression: &str, properties: Value) -> Answer {
    let body = json!({"expression": expression, "targetAttributeDefinition": null,
        "testInputObject": {"definition": null, "properties": properties}});
    bed.sync("POST", PARSE, Some(body)).await
}

async fn parse(bed: &Bed, expression: &str, properties: Value) -> Value {
    let answer = ask(bed, expression, properties).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn the_sample_of_the_page_comes_back_as_printed() {
    let bed = Bed::new().await;
    let given = json!([{"key": "preferredLanguage", "value": "EN-US"}]);
    let mut answer = parse(&bed, r#"Replace([preferredLanguage], "-", , , "_", ,  )"#, given).await;
    answer.as_object_mut().unwrap().remove("@odata.context");
    let constant =
        |text: &str| json!({"type": "Constant", "name": text, "expression": format!("\"{text}\""), "parameters": []});
    let source = json!({"type": "Attribute", "name": "preferredLanguage", "expression": "[preferredLanguage]", "parameters": []});
    assert_eq!(
        answer,
        json!({
            "error": null, "evaluationSucceeded": true, "evaluationResult": ["EN_US"], "parsingSucceeded": true,
            "parsedExpression": {
                "expression": r#"Replace([preferredLanguage], "-", , , "_", , )"#, "name": "Replace", "type": "Function",
                "parameters": [
                    {"key": "source", "value": source}, {"key": "Find", "value": constant("-")},
                    {"key": "Replacement", "value": constant("_")},
                ],
            },
        })
    );
}

#[tokio::test]
async fn what_cannot_be_parsed_is_answered_with_a_reason() {
    let bed = Bed::new().await;
    for expression in ["Append([mail]", "Append([mail])", "mail", &format!("\"{}\"", "x".repeat(10_000))] {
        let answer = parse(&bed, expression, json!([])).await;
        assert_eq!(
            (&answer["parsingSucceeded"], &answer["evaluationSucceeded"], &answer["parsedExpression"]),
            (&json!(false), &json!(false), &Value::Null)
        );
        assert!(answer["error"]["code"].is_string() && answer["error"]["message"].is_string(), "{answer}");
    }
    assert_eq!(bed.sync("POST", PARSE, Some(json!({"expression": 3}))).await.status, 400, "no text at all");
}

#[tokio::test]
async fn collections_are_evaluated_and_an_expression_need_not_be() {
    let bed = Bed::new().await;
    let roles = |values: Value| json!([{"key": "roles", "value@odata.type": "#Collection(String)", "value": values}]);
    let joined = parse(&bed, r#"Join(";", [roles])"#, roles(json!(["a", "b"]))).await;
    assert_eq!(joined["evaluationResult"], json!(["a;b"]));
    let split = parse(&bed, r#"Split("a;b", ";")"#, json!([])).await;
    assert_eq!(split["evaluationResult"], json!(["a", "b"]));
    let one = parse(&bed, "SingleAppRoleAssignment([roles])", roles(json!(["a", "b"]))).await;
    assert_eq!((&one["parsingSucceeded"], &one["evaluationSucceeded"]), (&json!(true), &json!(false)));
    assert_eq!((one["error"]["code"].is_string(), one["parsedExpression"].is_object()), (true, true));
    let alone = bed.sync("POST", PARSE, Some(json!({"expression": "[mail]"}))).await.json();
    assert_eq!(
        (&alone["parsingSucceeded"], &alone["evaluationSucceeded"], &alone["error"]),
        (&json!(true), &json!(false), &Value::Null)
    );
    let unknown = parse(&bed, "Fancy([mail])", json!([])).await;
    assert_eq!((&unknown["parsingSucceeded"], &unknown["evaluationSucceeded"]), (&json!(true), &json!(false)));
    bed.control.put_tenant(TENANT, &json!({"unknownFunctions": "refused"})).await.unwrap();
    assert_eq!(parse(&bed, "Not(Fancy([mail]))", json!([])).await["parsingSucceeded"], false);
}

#[tokio::test]
async fn an_attribute_that_the_test_object_lacks_is_null_or_an_error() {
    let bed = Bed::new().await;
    let expression = r#"IIF(IsPresent([mail]), "yes", "no")"#;
    assert_eq!(parse(&bed, expression, json!([])).await["evaluationResult"], json!(["no"]));
    bed.control.put_tenant(TENANT, &json!({"missingTestProperty": "fails"})).await.unwrap();
    let answer = parse(&bed, expression, json!([])).await;
    assert_eq!((&answer["evaluationSucceeded"], &answer["parsingSucceeded"]), (&json!(false), &json!(true)));
    assert_eq!(
        parse(&bed, expression, json!([{"key": "mail", "value": null}])).await["evaluationResult"],
        json!(["no"])
    );
}

#[tokio::test]
async fn arguments_that_may_come_often_have_the_keys_of_the_switch() {
    let bed = Bed::new().await;
    let expression = r#"Switch([x], , "a", "1", "b", "2")"#;
    let keys = |answer: Value| -> Vec<String> {
        let all = answer["parsedExpression"]["parameters"].as_array().unwrap().clone();
        all.iter().map(|found| found["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(parse(&bed, expression, json!([])).await), ["source", "key", "value", "key", "value"]);
    bed.control.put_tenant(TENANT, &json!({"repeatedParameters": "numbered"})).await.unwrap();
    assert_eq!(keys(parse(&bed, expression, json!([])).await), ["source", "key1", "value1", "key2", "value2"]);
}

#[tokio::test]
async fn the_route_is_missing_in_china_or_by_the_switch() {
    let bed = Bed::new().await;
    for (settings, status) in [
        (json!({}), 200),
        (json!({"cloud": "usGov"}), 200),
        (json!({"cloud": "china"}), 404),
        (json!({"cloud": "china", "parseExpression": "present"}), 200),
        (json!({"parseExpression": "missing"}), 404),
    ] {
        bed.control.put_tenant(TENANT, &settings).await.unwrap();
        let answer = ask(&bed, "[mail]", json!([])).await;
        assert_eq!(answer.status, status, "{settings}");
        assert!(status == 200 || answer.code() == "UnknownError");
    }
}

#[tokio::test]
async fn operators_and_functions_are_those_that_are_documented() {
    let bed = Bed::new().await;
    let names = async |part: &str| -> Vec<String> {
        let all = bed.sync("GET", &format!("templates/scim/schema/{part}"), None).await.json();
        all["value"].as_array().unwrap().iter().map(|found| found["name"].as_str().unwrap().to_owned()).collect()
    };
    let operators = names("filterOperators").await;
    assert_eq!(
        operators,
        ["EQUALS", "NOT EQUALS", "IS TRUE", "IS FALSE", "IS NULL", "IS NOT NULL", "REGEX MATCH", "NOT REGEX MATCH"]
    );
    let functions = names("functions").await;
    assert_eq!(functions.len(), 14);
    assert!(functions.contains(&"Switch".to_owned()) && !functions.contains(&"IIF".to_owned()));
    let all = bed.sync("GET", "templates/scim/schema/functions", None).await.json();
    let mid = all["value"].as_array().unwrap().iter().find(|found| found["name"] == "Mid").unwrap();
    assert_eq!(
        mid["parameters"][1],
        json!({"name": "start", "type": "Integer", "required": true, "allowMultipleOccurrences": false})
    );
}
