//! Expressions as the service parses, writes and evaluates them: a few functions, one inside another.

use serde_json::{Value, json};

const FUNCTIONS: [&str; 3] = ["ToLower", "Append", "Trim"];

/// Whether the service can parse it.
pub fn is_known(expression: &str) -> bool {
    written(expression).is_some()
}

/// A source as the service writes it; one that cannot be parsed stays as it is.
pub fn source(expression: &str) -> Value {
    let text = written(expression).unwrap_or_else(|| expression.to_owned());
    let (kind, name) = match text.as_bytes().first() {
        Some(b'[') => ("Attribute", text[1..text.len() - 1].to_owned()),
        Some(b'"') => ("Constant", text[1..text.len() - 1].to_owned()),
        _ => ("Function", text.split('(').next().unwrap_or_default().to_owned()),
    };
    json!({"expression": text, "name": name, "type": kind, "parameters": []})
}

/// The answer to a request to parse an expression, and to evaluate it where something is given.
pub fn parsed(request: &Value) -> Value {
    let Some(text) = request["expression"].as_str().and_then(written) else {
        let error = json!({"code": "ExpressionInvalid", "message": "It cannot be parsed."});
        return json!({"parsingSucceeded": false, "evaluationSucceeded": false, "evaluationResult": null,
            "parsedExpression": null, "error": error});
    };
    let given = request["testInputObject"]["properties"].as_array();
    let result = given.and_then(|given| value(&text, given));
    json!({"parsingSucceeded": true, "evaluationSucceeded": given.is_some(),
        "evaluationResult": result.into_iter().collect::<Vec<_>>(), "parsedExpression": source(&text), "error": null})
}

/// With the spaces and the names that the service writes.
fn written(expression: &str) -> Option<String> {
    let text = expression.trim();
    let inner = |open: char, close: char| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    if inner('[', ']').or(inner('"', '"')).is_some_and(|inner| !inner.contains(['[', ']', '"', '('])) {
        return Some(text.to_owned());
    }
    let (name, rest) = text.split_once('(')?;
    let function = FUNCTIONS.iter().find(|known| known.eq_ignore_ascii_case(name.trim()))?;
    let parameters = parameters(rest.strip_suffix(')')?).into_iter().map(written).collect::<Option<Vec<_>>>()?;
    Some(format!("{function}({})", parameters.join(", ")))
}

/// What stands between the commas that are in no inner function and in no text.
fn parameters(text: &str) -> Vec<&str> {
    let (mut depth, mut in_text, mut from, mut found) = (0_i32, false, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            ',' if !in_text && depth == 0 => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[from..]);
    found
}

fn value(text: &str, given: &[Value]) -> Option<String> {
    if let Some(name) = text.strip_prefix('[') {
        let name = name.trim_end_matches(']');
        return given.iter().find(|one| one["key"] == name)?["value"].as_str().map(str::to_owned);
    }
    if let Some(constant) = text.strip_prefix('"') {
        return Some(constant.trim_end_matches('"').to_owned());
    }
    let (name, rest) = text.split_once('(')?;
    let values: Option<Vec<String>> =
        parameters(rest.strip_suffix(')')?).into_iter().map(|one| value(one.trim(), given)).collect();
    let values = values?;
    Some(match name {
        "ToLower" => values.concat().to_lowercase(),
        "Trim" => values.concat().trim().to_owned(),
        _ => values.concat(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_names_are_the_service_s_own_and_values_are_computed() {
        let request = json!({"expression": "append( tolower([mail]),\" , x\")",
            "testInputObject": {"properties": [{"key": "mail", "value": "A"}]}});
        let answer = parsed(&request);
        assert_eq!(answer["parsedExpression"]["expression"], "Append(ToLower([mail]), \" , x\")");
        assert_eq!(answer["evaluationResult"], json!(["a , x"]));
        for unknown in ["Nonsense([a])", "ToLower([a]", "ToLower([a]))", "a", ""] {
            assert!(!is_known(unknown), "{unknown}");
        }
        assert_eq!(parsed(&json!({"expression": "[a"}))["parsingSucceeded"], false);
    }
}
