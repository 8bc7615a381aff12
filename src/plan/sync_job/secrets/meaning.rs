//! What a value means, so that two spellings of one meaning have one tag: the service prints JSON in its own order and
//! Booleans in its own case (`synchronizationSecret`, observed on `SyncNotificationSettings` and `SyncAll`).

use serde_json::{Map, Value};

/// The canonical text of a value: JSON objects with their members sorted and in lower case, Booleans in lower case, anything
/// else as it is.
pub fn of(value: &str) -> String {
    if let Ok(object @ Value::Object(_)) = serde_json::from_str::<Value>(value) {
        return canonical(object).to_string();
    }
    if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") {
        return value.to_ascii_lowercase();
    }
    value.to_owned()
}

/// Texts that are a Boolean or a whole number become one: both spellings occur.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> =
                members.into_iter().map(|(name, value)| (name.to_lowercase(), canonical(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        Value::String(text) => scalar(text),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

fn scalar(text: String) -> Value {
    let lower = text.to_ascii_lowercase();
    match (lower.parse::<bool>(), text.parse::<u64>()) {
        (Ok(truth), _) => Value::Bool(truth),
        (_, Ok(number)) if number.to_string() == text => Value::from(number),
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_meaning_are_one_text_and_others_are_not() {
        for (a, b) in [
            (
                r#"{"Enabled":true,"DeleteThresholdValue":500}"#,
                r#"{ "deleteThresholdValue": "500", "enabled": "True" }"#,
            ),
            ("True", "true"),
            (r#"{"domain":"ad.example.test"}"#, r#"{"Domain": "ad.example.test"}"#),
            ("t0ken", "t0ken"),
        ] {
            assert_eq!(of(a), of(b), "{a}");
        }
        for (a, b) in [
            ("t0ken", "T0ken"),
            (r#"{"a":1}"#, r#"{"a":2}"#),
            ("0123", "123"),
            (r#"{"a":"01"}"#, r#"{"a":1}"#),
            ("https://a.test/x", "https://a.test/X"),
        ] {
            assert_ne!(of(a), of(b), "{a}");
        }
    }
}
