//! A member of an answer that cannot be read counts as absent: it never makes the rest of the answer unreadable.
//!
//! OData allows a 64-bit integer as text (OData JSON Format 4.01, 7.1), and published answers have empty strings for
//! times and empty objects for whole members.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::Value;

/// A text that is not empty.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    })
}

/// A whole number, also as `3.0` or `"3"`.
pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    })
}

/// Beyond 2^53 a float does not say which integer was meant.
fn whole(number: f64) -> Option<i64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
    (number.fract() == 0.0 && number.abs() <= EXACT_MAX).then_some(number as i64)
}

/// A truth value, also as text in any letter case.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    })
}

/// An object, with what can be read of it.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(readable(Value::deserialize(from)?))
}

/// The objects of an array that can be read.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Array(items) => Some(items.into_iter().filter_map(readable).collect()),
        _ => None,
    })
}

/// Whether there is an array with something in it.
pub(super) fn filled<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(matches!(Value::deserialize(from)?, Value::Array(items) if !items.is_empty()))
}

/// An id is never guessed: without it there is nothing to talk about.
pub(super) fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match String::deserialize(from)? {
        id if id.is_empty() => Err(D::Error::custom("the id is empty")),
        id => Ok(id),
    }
}

fn readable<T: DeserializeOwned>(value: Value) -> Option<T> {
    value.is_object().then(|| serde_json::from_value(value).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct One {
        #[serde(deserialize_with = "count")]
        count: Option<i64>,
        #[serde(deserialize_with = "flag")]
        flag: Option<bool>,
    }

    #[test]
    fn a_count_is_read_in_every_form_in_which_it_is_whole() {
        for (text, count) in [
            ("3", Some(3)),
            ("\"3\"", Some(3)),
            ("12.0", Some(12)),
            ("\"12.0\"", Some(12)),
            ("-1", Some(-1)),
            ("1e3", Some(1000)),
            ("9223372036854775807", Some(i64::MAX)),
            ("1.5", None),
            ("1e300", None),
            ("18446744073709551615", None),
            ("\"\"", None),
            ("\"NaN\"", None),
            ("null", None),
            ("{}", None),
            ("[3]", None),
        ] {
            let one: One = serde_json::from_str(&format!(r#"{{"count":{text}}}"#)).unwrap();
            assert_eq!(one.count, count, "{text}");
        }
        assert_eq!(serde_json::from_str::<One>("{}").unwrap().count, None);
    }

    #[test]
    fn a_flag_is_true_false_or_not_known() {
        for (text, flag) in
            [("true", Some(true)), ("\"False\"", Some(false)), ("1", None), ("null", None), ("\"\"", None)]
        {
            let one: One = serde_json::from_str(&format!(r#"{{"flag":{text}}}"#)).unwrap();
            assert_eq!(one.flag, flag, "{text}");
        }
    }
}
