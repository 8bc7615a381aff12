//! A schema as a seed or a control call gives it: the whole of it, or the name of a fixture.

use serde::Deserialize;
use serde_json::Value;

use crate::graph::fixtures;
use crate::graph::model::job::Schema;

/// `{"fixture": NAME}`, or a schema with its `synchronizationRules`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub struct GivenSchema(pub Schema);

impl TryFrom<Value> for GivenSchema {
    type Error = String;

    fn try_from(given: Value) -> Result<Self, String> {
        match given["fixture"].as_str() {
            Some(name) => {
                let known = || format!("there is no fixture '{name}', but {}", fixtures::NAMES.join(", "));
                fixtures::schema(name).map(Self).ok_or_else(known)
            }
            None if given["synchronizationRules"].is_array() => Ok(Self(given.into())),
            None => Err("a schema has 'synchronizationRules', or names a 'fixture'".to_owned()),
        }
    }
}
