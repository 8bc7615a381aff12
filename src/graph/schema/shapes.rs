//! What is asked about a schema and answered. Members of an answer that cannot be read count as absent.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::lenient;
use super::super::redact::redacted;

/// An expression to be parsed.
#[derive(Clone, Copy)]
pub struct ParseRequest<'a> {
    pub expression: &'a str,
    /// `attributeDefinition` of the attribute that it is for, as the schema has it.
    pub target: Option<&'a Value>,
    /// With it, the expression is evaluated as well.
    pub given: Option<Given<'a>>,
}

/// An object that an expression is evaluated for.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// Which object of the source it is, by its name in the schema.
    pub object: Option<&'a str>,
    /// Its attributes by name.
    pub properties: &'a [(String, GivenValue)],
}

/// The value of an attribute.
#[derive(Clone, PartialEq, Eq)]
pub enum GivenValue {
    Text(String),
    /// That of an attribute with several values, however many there are.
    Texts(Vec<String>),
}

/// What came of an expression. A member is `None` where Graph does not say it.
#[derive(Clone, Default, PartialEq)]
pub struct ParsedExpression {
    pub parsing_succeeded: Option<bool>,
    pub evaluation_succeeded: Option<bool>,
    /// The values that it has for what was given.
    pub evaluation_result: Vec<String>,
    /// `attributeMappingSource`, complete, with the text as Graph writes it.
    pub parsed_expression: Option<Value>,
    /// Code and message, without what may be personal data.
    pub error: Option<(String, String)>,
}

impl fmt::Debug for ParsedExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedExpression")
            .field("parsing_succeeded", &self.parsing_succeeded)
            .field("evaluation_succeeded", &self.evaluation_succeeded)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// `parseExpressionResponse`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Answer {
    #[serde(deserialize_with = "lenient::flag")]
    parsing_succeeded: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    evaluation_succeeded: Option<bool>,
    #[serde(deserialize_with = "texts")]
    evaluation_result: Vec<String>,
    #[serde(deserialize_with = "object")]
    parsed_expression: Option<Value>,
    #[serde(deserialize_with = "lenient::object")]
    error: Option<Why>,
}

/// `publicError`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Why {
    #[serde(deserialize_with = "lenient::text")]
    code: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    message: Option<String>,
}

impl From<Answer> for ParsedExpression {
    fn from(answer: Answer) -> Self {
        let short = |text: Option<String>| redacted(&text.unwrap_or_default());
        Self {
            parsing_succeeded: answer.parsing_succeeded,
            evaluation_succeeded: answer.evaluation_succeeded,
            evaluation_result: answer.evaluation_result,
            parsed_expression: answer.parsed_expression,
            error: answer.error.map(|why| (short(why.code), short(why.message))),
        }
    }
}

/// An operator of scoping filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterOperator {
    /// As a clause names it: `EQUALS`.
    pub name: String,
    pub arity: Arity,
    /// `Any` or `All` of several values.
    pub multivalued: Option<String>,
    /// Types of attributes that it takes: `String`, `Integer`.
    pub types: Vec<String>,
}

/// How many operands an operator has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arity {
    /// The attribute.
    Unary,
    /// The attribute and values.
    Binary,
    /// What Graph says otherwise; empty if it says nothing.
    Other(String),
}

/// `filterOperatorSchema`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Operator {
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    arity: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    multivalued_comparison_type: Option<String>,
    #[serde(deserialize_with = "texts")]
    supported_attribute_types: Vec<String>,
}

impl Operator {
    /// One without a name cannot be used.
    pub fn named(self) -> Option<FilterOperator> {
        Some(FilterOperator {
            name: self.name.or(self.id)?,
            arity: match self.arity.unwrap_or_default() {
                arity if arity.eq_ignore_ascii_case("Unary") => Arity::Unary,
                arity if arity.eq_ignore_ascii_case("Binary") => Arity::Binary,
                other => Arity::Other(other),
            },
            multivalued: self.multivalued_comparison_type,
            types: self.supported_attribute_types,
        })
    }
}

/// The texts of an array, empty ones included.
fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let Value::Array(items) = Value::deserialize(from)? else { return Ok(Vec::new()) };
    let text = |item| match item {
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) => Some(item.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    Ok(items.into_iter().filter_map(text).collect())
}

fn object<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Ok(Some(Value::deserialize(from)?).filter(Value::is_object))
}
