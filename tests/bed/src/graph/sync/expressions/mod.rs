//! Mapping expressions: parsed, written out in the service's form, and rendered as the source of a mapping (CONTRACT §3.11).

mod evaluate;
pub mod functions;

use serde_json::{Value, json};

pub use evaluate::evaluate;

use crate::graph::model::settings::RepeatedParameters;

/// Longer expressions are refused, as the service does.
pub const LENGTH_MAX: usize = 10_000;

/// Longer ones first, so that `<=` is no `<`.
const OPERATORS: [&str; 6] = ["<>", "<=", ">=", "=", "<", ">"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    Attribute(String),
    /// What stands between the quotation marks, as it was written.
    Constant(String),
    /// An argument that was left out.
    Omitted,
    Function {
        name: String,
        arguments: Vec<Expression>,
    },
    Comparison {
        operator: &'static str,
        sides: Box<[Expression; 2]>,
    },
}

pub fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { rest: text };
    let expression = parser.expression()?;
    if parser.rest.trim().is_empty() { Ok(expression) } else { Err(format!("Unexpected text at '{}'.", parser.rest)) }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// An operand, and what it is compared with.
    fn expression(&mut self) -> Result<Expression, String> {
        let left = self.operand()?;
        self.rest = self.rest.trim_start();
        let found = OPERATORS.iter().find_map(|known| Some((*known, self.rest.strip_prefix(known)?)));
        let Some((operator, rest)) = found else { return Ok(left) };
        self.rest = rest;
        Ok(Expression::Comparison { operator, sides: Box::new([left, self.operand()?]) })
    }

    fn operand(&mut self) -> Result<Expression, String> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('[') {
            let (name, rest) = rest.split_once(']').ok_or("']' is missing.")?;
            self.rest = rest;
            return Ok(Expression::Attribute(name.to_owned()));
        }
        if let Some(rest) = self.rest.strip_prefix('"') {
            return self.constant(rest);
        }
        let end = self.rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        match rest.trim_start().strip_prefix('(') {
            Some(rest) if name.starts_with(char::is_alphabetic) => {
                self.rest = rest;
                let arguments = self.arguments(name)?;
                Ok(Expression::Function { name: name.to_owned(), arguments })
            }
            _ if !name.is_empty() && name.chars().all(|c| c.is_ascii_digit()) => {
                self.rest = rest;
                Ok(Expression::Constant(name.to_owned()))
            }
            _ => Err(format!("Unexpected text at '{}'.", self.rest)),
        }
    }

    /// A backslash keeps the character after it from ending the text.
    fn constant(&mut self, inside: &'a str) -> Result<Expression, String> {
        let mut escaped = false;
        for (at, c) in inside.char_indices() {
            if c == '"' && !escaped {
                self.rest = &inside[at + 1..];
                return Ok(Expression::Constant(inside[..at].to_owned()));
            }
            escaped = c == '\\' && !escaped;
        }
        Err("'\"' is missing.".to_owned())
    }

    fn arguments(&mut self, name: &str) -> Result<Vec<Expression>, String> {
        let mut arguments = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let none = self.rest.starts_with([',', ')']);
            arguments.push(if none { Expression::Omitted } else { self.expression()? });
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                break;
            } else {
                return Err(format!("',' or ')' expected at '{}'.", self.rest));
            }
        }
        if arguments == [Expression::Omitted] {
            arguments.clear();
        }
        functions::check(name, &arguments)?;
        Ok(arguments)
    }
}

impl Expression {
    /// The service's way to write it.
    pub fn text(&self) -> String {
        match self {
            Self::Attribute(name) => format!("[{name}]"),
            Self::Constant(text) => format!("\"{text}\""),
            Self::Omitted => String::new(),
            Self::Function { name, arguments } => {
                let written = |(index, argument): (usize, &Self)| match argument {
                    // Numbers stand without quotation marks where a number is meant.
                    Self::Constant(digits) if functions::is_number(name, index) => digits.clone(),
                    _ => argument.text(),
                };
                let arguments: Vec<String> = arguments.iter().enumerate().map(written).collect();
                format!("{name}({})", arguments.join(", "))
            }
            Self::Comparison { operator, sides } => format!("{}{operator}{}", sides[0].text(), sides[1].text()),
        }
    }

    /// The source of an attribute mapping. Arguments that were left out have no parameter.
    pub fn render(&self, repeated: RepeatedParameters) -> Value {
        let (kind, name) = match self {
            Self::Attribute(name) => ("Attribute", name.clone()),
            Self::Constant(text) => ("Constant", text.replace("\\\"", "\"").replace("\\\\", "\\")),
            Self::Omitted => ("Constant", String::new()),
            Self::Function { name, .. } => ("Function", name.clone()),
            Self::Comparison { operator, .. } => ("Function", (*operator).to_owned()),
        };
        let parameter = |key: String, value: &Self| json!({"key": key, "value": value.render(repeated)});
        let parameters: Vec<Value> = match self {
            Self::Function { name, arguments } => {
                let given = arguments.iter().enumerate().filter(|(_, argument)| **argument != Self::Omitted);
                given.map(|(index, argument)| parameter(functions::key(name, index, repeated), argument)).collect()
            }
            Self::Comparison { sides, .. } => {
                ["one", "two"].iter().zip(sides.iter()).map(|(key, side)| parameter((*key).to_owned(), side)).collect()
            }
            Self::Attribute(_) | Self::Constant(_) | Self::Omitted => Vec::new(),
        };
        json!({"type": kind, "name": name, "expression": self.text(), "parameters": parameters})
    }

    /// The first function in it that nobody knows.
    pub fn unknown_function(&self) -> Option<&str> {
        match self {
            Self::Function { name, .. } if functions::find(name).is_none() => Some(name),
            Self::Function { arguments, .. } => arguments.iter().find_map(Self::unknown_function),
            Self::Comparison { sides, .. } => sides.iter().find_map(Self::unknown_function),
            Self::Attribute(_) | Self::Constant(_) | Self::Omitted => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        parse(text).unwrap().text()
    }

    #[test]
    fn text_is_written_in_one_form() {
        assert_eq!(
            normal(r#"Replace([preferredLanguage], "-", , , "_", ,  )"#),
            r#"Replace([preferredLanguage], "-", , , "_", , )"#
        );
        assert_eq!(normal(r#"Mid( [mail],"1",8 )"#), "Mid([mail], 1, 8)");
        assert_eq!(normal("DefaultDomain( )"), "DefaultDomain()");
        let cloud_sync = r#"IIF(IsPresent([userAccountControl]), IIF(BitAnd([userAccountControl], 2)="0", "True", "False"), Not([accountDisabled]))"#;
        assert_eq!(normal(cloud_sync), cloud_sync);
        assert_eq!(normal(r#"Append([a],"say \"yes\", and \\")"#), r#"Append([a], "say \"yes\", and \\")"#);
    }

    #[test]
    fn arguments_that_were_left_out_have_no_parameter() {
        let source =
            parse(r#"Replace([preferredLanguage], "-", , , "_", , )"#).unwrap().render(RepeatedParameters::SameKey);
        let keys: Vec<&str> =
            source["parameters"].as_array().unwrap().iter().map(|found| found["key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["source", "Find", "Replacement"]);
        assert_eq!(
            source["parameters"][1]["value"],
            json!({"type": "Constant", "name": "-", "expression": "\"-\"", "parameters": []})
        );
        let mid = parse("Mid([mail], 1, 8)").unwrap().render(RepeatedParameters::SameKey);
        assert_eq!(mid["parameters"][2]["value"]["expression"], "\"8\"");
    }

    #[test]
    fn broken_text_is_refused() {
        let broken = [
            "Append([mail]",
            "[mail",
            "",
            "Append([mail] \"x\")",
            "[a] [b]",
            "\"a",
            "Append([mail])",
            "Append([mail], )",
            "mail",
            "Not()",
            "[a]=",
            "Append(",
        ];
        for text in broken {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
