//! Mapping expressions: enough of the language to parse any, and to evaluate the plain string functions.

use serde_json::{Value, json};

/// Functions with their parameters, as the functions route lists them.
pub const FUNCTIONS: &[(&str, &[&str])] = &[
    ("DefaultDomain", &[]),
    ("Append", &["source", "suffix"]),
    ("Join", &["separator", "source1", "source2"]),
    ("ToLower", &["source"]),
    ("ToUpper", &["source"]),
    ("Trim", &["source"]),
    ("Not", &["source"]),
    ("Coalesce", &["source1", "source2"]),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    Attribute(String),
    Constant(String),
    Function { name: String, arguments: Vec<Expression> },
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
    fn expression(&mut self) -> Result<Expression, String> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('[') {
            return self.until(rest, ']').map(|name| Expression::Attribute(name.to_owned()));
        }
        if let Some(rest) = self.rest.strip_prefix('"') {
            return self.until(rest, '"').map(|text| Expression::Constant(text.to_owned()));
        }
        let end = self.rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        match rest.trim_start().strip_prefix('(') {
            Some(rest) if !name.is_empty() => {
                self.rest = rest;
                Ok(Expression::Function { name: name.to_owned(), arguments: self.arguments()? })
            }
            _ if name.chars().all(|c| c.is_ascii_digit()) && !name.is_empty() => {
                self.rest = rest;
                Ok(Expression::Constant(name.to_owned()))
            }
            // An argument may be left out.
            _ if name.is_empty() && rest.starts_with([',', ')']) => Ok(Expression::Constant(String::new())),
            _ => Err(format!("Unexpected text at '{}'.", self.rest)),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, String> {
        let mut arguments = Vec::new();
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix(')') {
            self.rest = rest;
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                return Ok(arguments);
            } else {
                return Err(format!("',' or ')' expected at '{}'.", self.rest));
            }
        }
    }

    fn until(&mut self, rest: &'a str, end: char) -> Result<&'a str, String> {
        let (inside, rest) = rest.split_once(end).ok_or_else(|| format!("'{end}' is missing."))?;
        self.rest = rest;
        Ok(inside)
    }
}

impl Expression {
    fn text(&self) -> String {
        match self {
            Self::Attribute(name) => format!("[{name}]"),
            Self::Constant(text) => format!("\"{text}\""),
            Self::Function { name, arguments } => {
                format!("{name}({})", arguments.iter().map(Self::text).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// As an attributeMappingSource.
    pub fn render(&self) -> Value {
        let (kind, name) = match self {
            Self::Attribute(name) => ("Attribute", name),
            Self::Constant(text) => ("Constant", text),
            Self::Function { name, .. } => ("Function", name),
        };
        let parameters: Vec<Value> = match self {
            Self::Function { name, arguments } => {
                let known = FUNCTIONS.iter().find(|(known, _)| known == name).map(|(_, parameters)| *parameters);
                let key = |index: usize| {
                    let named = known.and_then(|parameters| parameters.get(index)).map(|name| (*name).to_owned());
                    named.unwrap_or_else(|| format!("parameter{}", index + 1))
                };
                arguments
                    .iter()
                    .enumerate()
                    .map(|(i, argument)| json!({"key": key(i), "value": argument.render()}))
                    .collect()
            }
            _ => Vec::new(),
        };
        json!({"type": kind, "name": name, "expression": self.text(), "parameters": parameters})
    }
}

/// The value for a test object; functions that are not known parse but have no value.
pub fn evaluate(expression: &Expression, input: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let Expression::Function { name, arguments } = expression else {
        return match expression {
            Expression::Attribute(name) => input(name).ok_or_else(|| format!("The test object has no '{name}'.")),
            Expression::Constant(text) => Ok(text.clone()),
            Expression::Function { .. } => Err(String::new()),
        };
    };
    let values = arguments.iter().map(|argument| evaluate(argument, input));
    if name == "Coalesce" {
        return Ok(values.filter_map(Result::ok).find(|value| !value.is_empty()).unwrap_or_default());
    }
    let values = values.collect::<Result<Vec<String>, String>>()?;
    match (name.as_str(), values.as_slice()) {
        ("DefaultDomain", []) => Ok("example.test".to_owned()),
        ("Append", [source, suffix]) => Ok(format!("{source}{suffix}")),
        ("Join", [separator, sources @ ..]) => Ok(sources.join(separator)),
        ("ToLower", [source, ..]) => Ok(source.to_lowercase()),
        ("ToUpper", [source, ..]) => Ok(source.to_uppercase()),
        ("Trim", [source]) => Ok(source.trim().to_owned()),
        ("Not", [source]) => Ok(if source.eq_ignore_ascii_case("true") { "False" } else { "True" }.to_owned()),
        _ => Err(format!("The function '{name}' cannot be evaluated with these arguments.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_functions_are_parsed_and_evaluated() {
        let parsed = parse(r#"ToUpper(Append([mail], "x"))"#).unwrap();
        let value = evaluate(&parsed, &|name| (name == "mail").then(|| "a@b.test".to_owned()));
        assert_eq!(value.unwrap(), "A@B.TESTX");
        assert_eq!(parsed.render()["parameters"][0]["value"]["parameters"][0]["value"]["expression"], "[mail]");
    }

    #[test]
    fn broken_text_is_refused() {
        for text in ["Append([mail]", "[mail", "", "Append([mail] \"x\")", "[a] [b]"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
