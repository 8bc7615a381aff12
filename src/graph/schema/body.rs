//! The body of a request to parse an expression.

use serde_json::{Value, json};

use super::shapes::{Given, GivenValue, ParseRequest};

/// What OData calls several texts; without it Graph takes them for one.
const TEXTS: &str = "#Collection(String)";

/// A member without a value is absent: Graph's own samples have both forms.
pub(super) fn of(request: ParseRequest<'_>) -> Value {
    let mut body = json!({"expression": request.expression});
    if let Some(target) = request.target {
        body["targetAttributeDefinition"] = target.clone();
    }
    if let Some(given) = request.given {
        body["testInputObject"] = input(given);
    }
    body
}

fn input(given: Given<'_>) -> Value {
    let properties: Vec<Value> = given.properties.iter().map(|(key, value)| property(key, value)).collect();
    let mut input = json!({"properties": properties});
    if let Some(object) = given.object {
        input["definition"] = json!({"name": object});
    }
    input
}

fn property(key: &str, value: &GivenValue) -> Value {
    match value {
        GivenValue::Text(text) => json!({"key": key, "value": text}),
        GivenValue::Texts(texts) => json!({"key": key, "value@odata.type": TEXTS, "value": texts}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_absent() {
        let request = ParseRequest { expression: "[a]", target: None, given: None };
        assert_eq!(of(request), json!({"expression": "[a]"}));
        let given = Given { object: None, properties: &[] };
        let request = ParseRequest { given: Some(given), ..request };
        assert_eq!(of(request), json!({"expression": "[a]", "testInputObject": {"properties": []}}));
    }

    #[test]
    fn several_texts_are_marked_as_such_even_if_it_is_one() {
        let properties = [
            ("mail".to_owned(), GivenValue::Text("anna".to_owned())),
            ("roles".to_owned(), GivenValue::Texts(vec!["one".to_owned()])),
        ];
        let target = json!({"name": "displayName", "type": "String"});
        let given = Given { object: Some("User"), properties: &properties };
        let request = ParseRequest { expression: "[a]", target: Some(&target), given: Some(given) };
        let properties = json!([
            {"key": "mail", "value": "anna"},
            {"key": "roles", "value@odata.type": "#Collection(String)", "value": ["one"]},
        ]);
        assert_eq!(
            of(request),
            json!({
                "expression": "[a]", "targetAttributeDefinition": target,
                "testInputObject": {"definition": {"name": "User"}, "properties": properties},
            })
        );
    }
}
