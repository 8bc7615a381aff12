//! The functions of mapping expressions: the 14 that the service lists, and others that live schemas use.

use serde_json::{Value, json};

use super::Expression;
use crate::graph::model::settings::RepeatedParameters;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Boolean,
}

#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    kind: Kind,
    required: bool,
    repeated: bool,
}

pub struct Function {
    pub name: &'static str,
    parameters: &'static [Parameter],
    /// Whether the service lists it.
    listed: bool,
}

const fn text(name: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Text, required: true, repeated: false }
}

const fn number(name: &'static str) -> Parameter {
    Parameter { kind: Kind::Number, ..text(name) }
}

const fn boolean(name: &'static str) -> Parameter {
    Parameter { kind: Kind::Boolean, ..text(name) }
}

const fn optional(parameter: Parameter) -> Parameter {
    Parameter { required: false, ..parameter }
}

const fn repeated(parameter: Parameter) -> Parameter {
    Parameter { repeated: true, ..parameter }
}

const fn listed(name: &'static str, parameters: &'static [Parameter]) -> Function {
    Function { name, parameters, listed: true }
}

const fn live(name: &'static str, parameters: &'static [Parameter]) -> Function {
    Function { name, parameters, listed: false }
}

const SOURCE: &[Parameter] = &[text("source")];

#[rustfmt::skip]
pub const ALL: &[Function] = &[
    listed("Append", &[text("source"), text("suffix")]),
    listed("AppRoleAssignments", SOURCE),
    listed("DefaultDomain", &[]),
    listed("FormatDateTime", &[text("source"), text("inputFormat"), text("outputFormat")]),
    listed("IsNothing", SOURCE),
    listed("Join", &[text("separator"), repeated(text("source"))]),
    listed("Mid", &[text("source"), number("start"), number("length")]),
    listed("Not", &[boolean("source")]),
    listed("Prepend", &[text("source"), text("prefix")]),
    listed("Replace", &[
        text("source"), optional(text("Find")), optional(text("RegexPattern")), optional(text("RegexGroupName")),
        optional(text("Replacement")), optional(text("ReplacementAttributeName")), optional(text("Template")),
    ]),
    listed("SingleAppRoleAssignment", SOURCE),
    listed("Split", &[text("source"), text("delimiter")]),
    listed("StripSpaces", SOURCE),
    listed("Switch", &[
        text("source"), optional(text("defaultValue")), repeated(text("key")), repeated(text("value")),
    ]),
    live("AppRoleAssignmentsComplex", SOURCE),
    live("AssertiveAppRoleAssignmentsComplex", SOURCE),
    live("BitAnd", &[number("one"), number("two")]),
    live("CBool", SOURCE),
    live("Coalesce", &[repeated(text("source"))]),
    live("Count", SOURCE),
    live("IIF", &[boolean("one"), text("two"), text("three")]),
    live("IsNull", SOURCE),
    live("IsNullOrEmpty", SOURCE),
    live("IsPresent", SOURCE),
    live("IsString", SOURCE),
    live("Item", &[text("source"), number("index")]),
    live("Left", &[text("source"), number("length")]),
    live("NormalizeDiacritics", SOURCE),
    live("Now", &[]),
    live("RemoveDuplicates", SOURCE),
    live("SelectUniqueValue", &[repeated(text("source"))]),
    live("ToLower", &[text("source"), optional(text("culture"))]),
    live("ToUpper", &[text("source"), optional(text("culture"))]),
    live("Trim", SOURCE),
    live("Word", &[text("source"), number("number"), text("delimiters")]),
];

pub fn find(name: &str) -> Option<&'static Function> {
    ALL.iter().find(|function| function.name == name)
}

/// What the route lists.
pub fn described() -> Vec<Value> {
    let parameter = |parameter: &Parameter| {
        let kind = match parameter.kind {
            Kind::Text => "String",
            Kind::Number => "Integer",
            Kind::Boolean => "Boolean",
        };
        json!({
            "name": parameter.name, "type": kind, "required": parameter.required,
            "allowMultipleOccurrences": parameter.repeated,
        })
    };
    let shown = ALL.iter().filter(|function| function.listed);
    shown
        .map(|function| {
            let parameters: Vec<Value> = function.parameters.iter().map(parameter).collect();
            json!({"name": function.name, "parameters": parameters})
        })
        .collect()
}

impl Function {
    /// The parameter of an argument, and how often it came before. The repeated ones are the last of a function.
    fn parameter(&self, index: usize) -> Option<(&'static Parameter, usize)> {
        let first = self.parameters.iter().position(|parameter| parameter.repeated);
        match first {
            Some(first) if index >= first => {
                let cycle = self.parameters.len() - first;
                Some((&self.parameters[first + (index - first) % cycle], (index - first) / cycle))
            }
            _ => self.parameters.get(index).map(|parameter| (parameter, 0)),
        }
    }
}

/// Whether what is required is there; of a function that nobody knows nothing is.
pub fn check(name: &str, arguments: &[Expression]) -> Result<(), String> {
    let Some(function) = find(name) else { return Ok(()) };
    let missing = function.parameters.iter().enumerate().find(|(index, parameter)| {
        parameter.required && arguments.get(*index).is_none_or(|argument| *argument == Expression::Omitted)
    });
    match missing {
        Some((_, parameter)) => Err(format!("The argument '{}' of the function '{name}' is missing.", parameter.name)),
        None => Ok(()),
    }
}

pub fn is_number(name: &str, index: usize) -> bool {
    let found = find(name).and_then(|function| function.parameter(index));
    found.is_some_and(|(parameter, _)| parameter.kind == Kind::Number)
}

/// The key of an argument among the `parameters` of a source.
pub fn key(name: &str, index: usize, repeated: RepeatedParameters) -> String {
    match find(name).and_then(|function| function.parameter(index)) {
        None => format!("parameter{}", index + 1),
        Some((parameter, before)) if parameter.repeated && repeated == RepeatedParameters::Numbered => {
            format!("{}{}", parameter.name, before + 1)
        }
        Some((parameter, _)) => parameter.name.to_owned(),
    }
}
