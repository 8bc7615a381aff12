//! What helps to edit a schema: operators, functions, trying an expression, reading the target's attributes.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::expressions::{self, functions};
use super::{gate, schema, schema_check};
use crate::graph::fixtures;
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::http::route;
use crate::graph::model::clock::text;
use crate::graph::model::settings::{Cloud, MissingTestProperty, ParseExpression};

const TEXT: &[&str] = &["String", "Integer"];
const ANY: &[&str] = &["String", "Integer", "Boolean", "Reference", "Binary", "DateTime"];

/// The documented ones. The portal knows more, whose wire names nobody printed.
pub fn filter_operators(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    schema::effective(call)?;
    let operator = |(name, arity, types): &(&str, &str, &[&str])| json!({"name": name, "arity": arity, "multivaluedComparisonType": "All", "supportedAttributeTypes": types});
    let all = [
        ("EQUALS", "Binary", TEXT),
        ("NOT EQUALS", "Binary", TEXT),
        ("IS TRUE", "Unary", &["Boolean"]),
        ("IS FALSE", "Unary", &["Boolean"]),
        ("IS NULL", "Unary", ANY),
        ("IS NOT NULL", "Unary", ANY),
        ("REGEX MATCH", "Binary", &["String"]),
        ("NOT REGEX MATCH", "Binary", &["String"]),
    ];
    call.collection("filterOperators", all.iter().map(operator).collect())
}

pub fn functions(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    schema::effective(call)?;
    call.collection("functions", functions::described())
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

/// Other members, such as `value@odata.type`, are allowed.
#[derive(Deserialize)]
struct Property {
    key: String,
    value: Value,
}

impl TestInput {
    /// The values of a property: one text, or a collection.
    fn values(&self, name: &str, missing: MissingTestProperty) -> Result<Vec<String>, String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match self.properties.iter().find(|property| property.key == name).map(|found| &found.value) {
            Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(values)) => Ok(values.iter().map(text).collect()),
            Some(value) => Ok(vec![text(value)]),
            None if missing == MissingTestProperty::Null => Ok(Vec::new()),
            None => Err(format!("The test object has no '{name}'.")),
        }
    }
}

pub fn parse_expression(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    let settings = call.settings();
    let there = match settings.parse_expression {
        ParseExpression::ByCloud => settings.cloud != Cloud::China,
        ParseExpression::Present => true,
        ParseExpression::Missing => false,
    };
    if !there {
        return Err(route::unknown(call.request));
    }
    schema::effective(call)?;
    let asked: Parse = call.body()?;
    let body = match schema_check::parse(&asked.expression, &settings) {
        Err(message) => parsed(None, Err(("ParsingFailed", message))),
        Ok(expression) => {
            let source = expression.render(settings.repeated_parameters);
            let result = match &asked.test_input_object {
                None => Ok(None),
                Some(input) => {
                    let values = |name: &str| input.values(name, settings.missing_test_property);
                    expressions::evaluate(&expression, &values).map(Some)
                }
            };
            parsed(Some(&source), result.map_err(|message| ("EvaluationFailed", message)))
        }
    };
    Ok(Reply::ok(call.entity("microsoft.graph.parseExpressionResponse", body)))
}

/// What came of it; without a test object nothing is evaluated.
fn parsed(source: Option<&Value>, result: Result<Option<Vec<String>>, (&str, String)>) -> Value {
    let error = |(code, message): &(&str, String)| json!({"code": code, "message": message, "target": null, "details": [], "innerError": null});
    json!({
        "parsingSucceeded": source.is_some(),
        "evaluationSucceeded": matches!(result, Ok(Some(_))),
        "error": result.as_ref().err().map(error),
        "evaluationResult": result.ok().flatten().unwrap_or_default(),
        "parsedExpression": source,
    })
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
    let attributes = ["Id", "userName", "displayName", "nickName"].map(fixtures::attribute).to_vec();
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
