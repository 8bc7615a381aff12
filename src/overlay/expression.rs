//! Expressions of attribute mappings. The service parses them; here are only the two forms that need no parser, `[attribute]`
//! and `"constant"`, and what makes two sources the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::document::{items, text};

/// Longer ones the service refuses.
pub const LENGTH_MAX: usize = 10_000;

/// What the service made of expressions, by their text as it was sent.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(transparent)]
pub struct Expressions(pub BTreeMap<String, Parsed>);

/// What the service made of one expression.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub enum Parsed {
    /// An `attributeMappingSource` in the service's normal form.
    Source(Value),
    /// It cannot be parsed, and why.
    Refused(String),
    /// This cloud has no route for it.
    NotOffered,
}

/// The source that an expression stands for without the service: none for all but `[attribute]` and `"constant"`.
pub(super) fn local(expression: &str) -> Option<Value> {
    let expression = expression.trim();
    if let Some(name) = attribute(expression) {
        return Some(json!({"type": "Attribute", "name": name, "expression": expression, "parameters": []}));
    }
    let constant = expression.strip_prefix('"')?.strip_suffix('"')?;
    // What a backslash means is for the service to say.
    let plain = !constant.contains(['"', '\\']);
    plain.then(|| json!({"type": "Constant", "name": constant, "expression": expression, "parameters": []}))
}

/// The name in `[name]`.
pub(super) fn attribute(expression: &str) -> Option<&str> {
    let name = expression.trim().strip_prefix('[')?.strip_suffix(']')?;
    (!name.is_empty() && !name.contains(['[', ']', '"'])).then_some(name)
}

/// The text of a source; none if there is no source. What counts is the expression; where it is missing, type and name say it.
pub(super) fn text_of(source: Option<&Value>) -> Option<String> {
    let source = source.filter(|source| source.is_object())?;
    let (expression, name) = (text(source, "expression"), text(source, "name"));
    if !expression.is_empty() || name.is_empty() {
        return (!expression.is_empty()).then(|| expression.to_owned());
    }
    match text(source, "type") {
        "Attribute" => Some(format!("[{name}]")),
        "Constant" => Some(format!("\"{name}\"")),
        _ => Some(format!("{name}(…)")),
    }
}

/// Without the white space that has no meaning: all of it outside of texts and names.
pub(super) fn squeezed(expression: &str) -> String {
    let (mut squeezed, mut in_text, mut in_name, mut escaped) = (String::new(), false, false, false);
    for c in expression.chars() {
        match c {
            '"' if !escaped => in_text = !in_text,
            '[' if !in_text => in_name = true,
            ']' if !in_text => in_name = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if in_text || in_name || !c.is_whitespace() {
            squeezed.push(c);
        }
    }
    squeezed
}

/// Whether the text of a source is this expression, white space aside.
pub(super) fn reads(source: Option<&Value>, expression: &str) -> bool {
    text_of(source).is_some_and(|text| squeezed(&text) == squeezed(expression))
}

/// The normal forms that are known, by squeezed text. A normal form is its own normal form.
pub(super) struct Forms(BTreeMap<String, Value>);

impl Forms {
    /// Where both know a text, what the service says now counts more than what it said before.
    pub(super) fn new(known: &Expressions, remembered: &BTreeMap<String, Value>) -> Self {
        let now = known.0.iter().filter_map(|(text, parsed)| match parsed {
            Parsed::Source(source) => Some((text, source)),
            Parsed::Refused(_) | Parsed::NotOffered => None,
        });
        let mut forms = BTreeMap::new();
        for (text, source) in remembered.iter().chain(now) {
            if let Some(own) = text_of(Some(source)) {
                forms.insert(squeezed(&own), source.clone());
            }
            forms.insert(squeezed(text), source.clone());
        }
        Self(forms)
    }

    pub(super) fn of(&self, expression: &str) -> Option<Value> {
        local(expression).or_else(|| self.0.get(&squeezed(expression)).cloned())
    }

    /// Whether two sources are the same. Unequal texts can be, and equal trees need not be: an expression can be changed
    /// without its tree. So normal forms decide where both are known, and trees only where not.
    pub(super) fn same(&self, one: Option<&Value>, other: Option<&Value>) -> bool {
        let (Some(one_text), Some(other_text)) = (text_of(one), text_of(other)) else {
            return text_of(one).is_none() && text_of(other).is_none();
        };
        if squeezed(&one_text) == squeezed(&other_text) {
            return true;
        }
        match (self.of(&one_text), self.of(&other_text)) {
            (Some(one), Some(other)) => same_text(&one, &other) || same_tree(&one, &other),
            _ => one.zip(other).is_some_and(|(one, other)| same_tree(one, other)),
        }
    }
}

fn same_text(one: &Value, other: &Value) -> bool {
    squeezed(text(one, "expression")) == squeezed(text(other, "expression"))
}

/// A function without parameters is left to its text: there are schemas whose functions list none.
fn same_tree(one: &Value, other: &Value) -> bool {
    let same = |name: &str| text(one, name) == text(other, name);
    if !same("type") || !same("name") {
        return false;
    }
    if text(one, "type") != "Function" {
        return !text(one, "name").is_empty();
    }
    let (ones, others): (Vec<_>, Vec<_>) = (items(one, "parameters").collect(), items(other, "parameters").collect());
    let same_parameter = |one: &Value, other: &Value| {
        let values = one.get("value").zip(other.get("value"));
        text(one, "key") == text(other, "key") && values.is_some_and(|(one, other)| same_tree(one, other))
    };
    !ones.is_empty()
        && ones.len() == others.len()
        && ones.iter().zip(&others).all(|(one, other)| same_parameter(one, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(expression: &str, parameters: &Value) -> Value {
        json!({"type": "Function", "name": "Append", "expression": expression, "parameters": parameters})
    }

    #[test]
    fn attributes_and_plain_constants_need_no_service() {
        let kind = |expression: &str| local(expression).map(|source| (source["type"].clone(), source["name"].clone()));
        assert_eq!(kind(" [mail] "), Some((json!("Attribute"), json!("mail"))));
        assert_eq!(kind("\"Member\""), Some((json!("Constant"), json!("Member"))));
        assert_eq!(kind("\"\""), Some((json!("Constant"), json!(""))));
        for other in ["[a] & [b]", "[]", "\"a\\\"b\"", "\"a\" = \"b\"", "5", "Not([a])", "\"", "[a"] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[test]
    fn white_space_counts_in_texts_and_names_only() {
        assert_eq!(squeezed(" Join( \" \" , [given name],\n\"a\\\" b\" ) "), "Join(\" \",[given name],\"a\\\" b\")");
    }

    #[test]
    fn sources_are_the_same_by_text_by_normal_form_or_by_tree() {
        let attribute = |name: &str| local(&format!("[{name}]")).unwrap();
        let tree = |name: &str| json!([{"key": "source", "value": attribute(name)}, {"key": "suffix", "value": local("\"x\"")}]);
        let forms = Forms::new(&Expressions::default(), &BTreeMap::new());
        let spaced = function("Append([a],  \"x\")", &json!([]));
        let compact = function("Append([a],\"x\")", &json!([]));
        let other = function("Append([b],\"x\")", &json!([]));
        assert!(forms.same(Some(&spaced), Some(&compact)) && !forms.same(Some(&spaced), Some(&other)));
        assert!(forms.same(None, Some(&Value::Null)) && !forms.same(None, Some(&compact)));

        let written = function("Append(([a]),\"x\")", &tree("a"));
        let normal = function("Append([a], \"x\")", &tree("a"));
        assert!(forms.same(Some(&written), Some(&normal)));
        assert!(!forms.same(Some(&written), Some(&function("Append([b], \"x\")", &tree("b")))));

        // The text was changed and the tree was not.
        let stale = function("Append([b], \"x\")", &tree("a"));
        let parsed = [
            (written["expression"].clone(), normal.clone()),
            (stale["expression"].clone(), function("Append([b], \"x\")", &tree("b"))),
        ];
        let known = Expressions(
            parsed.map(|(text, source)| (text.as_str().unwrap().to_owned(), Parsed::Source(source))).into(),
        );
        let forms = Forms::new(&known, &BTreeMap::new());
        assert!(!forms.same(Some(&stale), Some(&written)));
        assert!(forms.same(Some(&function("Append(([a]),\"x\")", &json!([]))), Some(&normal)));
    }
}
