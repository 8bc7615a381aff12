//! What helps to edit a schema: operators, functions, trying an expression, reading the target's attributes.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::expressions::{self, FUNCTIONS};
use super::{gate, schema, schema_default};
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::model::clock::text;

pub fn filter_operators(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    schema::effective(call)?;
    let operator = |name: &str, arity: &str, types: &[&str]| json!({"name": name, "arity": arity, "multivaluedComparisonType": "All", "supportedAttributeTypes": types});
    let items = vec![
        operator("EQUALS", "Binary", &["String", "Integer"]),
        operator("NOT EQUALS", "Binary", &["String", "Integer"]),
        operator("IS TRUE", "Unary", &["Boolean"]),
        operator("IS NULL", "Unary", &["String", "Integer", "Reference"]),
        operator("GREATER_THAN", "Binary", &["Integer"]),
        operator("REGEX MATCH", "Binary", &["String"]),
        operator("INCLUDES", "Binary", &["String"]),
    ];
    call.collection("filterOperators", items)
}

pub fn functions(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    schema::effective(call)?;
    let parameter =
        |name: &&str| json!({"name": name, "type": "String", "required": true, "allowMultipleOccurrences": false});
    let items = FUNCTIONS.iter().map(
        |(name, parameters)| json!({"name": name, "parameters": parameters.iter().map(parameter).collect::<Vec<_>>()}),
    );
    call.collection("functions", items.collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parse {
    expression: String,
    test_input_object: Option<TestInput>,
}

#[derive(Deserialize)]
struct TestInput {
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    key: String,
    value: Value,
}

pub fn parse_expression(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    schema::effective(call)?;
    let asked: Parse = call.body()?;
    let properties = asked.test_input_object.map(|input| input.properties).unwrap_or_default();
    let input = |name: &str| {
        let found = properties.iter().find(|property| property.key == name)?;
        Some(found.value.as_str().map_or_else(|| found.value.to_string(), str::to_owned))
    };
    let body = match expressions::parse(&asked.expression) {
        Err(message) => json!({
            "parsingSucceeded": false, "evaluationSucceeded": false, "evaluationResult": [], "parsedExpression": null,
            "error": {"code": "ParsingFailed", "message": message, "tenantActionable": true},
        }),
        Ok(parsed) => match expressions::evaluate(&parsed, &input) {
            Ok(result) => json!({
                "parsingSucceeded": true, "evaluationSucceeded": true, "evaluationResult": [result], "error": null,
                "parsedExpression": parsed.render(),
            }),
            Err(message) => json!({
                "parsingSucceeded": true, "evaluationSucceeded": false, "evaluationResult": [],
                "error": {"code": "EvaluationFailed", "message": message, "tenantActionable": true},
                "parsedExpression": parsed.render(),
            }),
        },
    };
    Ok(Reply::ok(call.entity("microsoft.graph.parseExpressionResponse", body)))
}

pub fn directories(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let schema = schema::effective(call)?;
    let all = schema["directories"].as_array().cloned().unwrap_or_default();
    call.collection("directories", all)
}

pub fn directory(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let found = this_directory(call)?;
    Ok(Reply::ok(call.entity("directories/$entity", found)))
}

/// Reads the target's attributes anew. The schema stays as it is until it is PUT.
pub fn discover(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let found = this_directory(call)?;
    let attributes = ["Id", "userName", "displayName", "nickName"].map(schema_default::attribute).to_vec();
    let body = json!({
        "id": found["id"], "name": found["name"], "discoverabilities": "AttributeNames, AttributeDataTypes",
        "discoveryDateTime": text(call.now()), "version": Uuid::new_v4(),
        "objects": [{"name": "User", "supportedApis": [], "metadata": [], "attributes": attributes}],
    });
    Ok(Reply::ok(call.entity("directories/$entity", body)))
}

fn this_directory(call: &mut Call<'_>) -> Result<Value, Reply> {
    let (schema, wanted) = (schema::effective(call)?, call.param("dir").to_owned());
    let found = schema["directories"].as_array().into_iter().flatten().find(|known| known["id"] == wanted).cloned();
    found.ok_or_else(|| Reply::error(404, "ResourceNotFound", "The directory does not exist."))
}
