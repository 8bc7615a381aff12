//! `values.yaml` read with its comments: what the schema and the table of values are made from.

use serde_json::Value;

use super::{chart, documents, read};

/// A value that has a description. Groups have none, and are not among them.
pub struct Leaf {
    pub path: Vec<String>,
    pub section: String,
    pub description: String,
    /// What `@schema` says, an object.
    pub schema: Value,
    pub default: Value,
}

impl Leaf {
    pub fn name(&self) -> String {
        // A dot within a key is written as Helm's --set wants it.
        self.path.iter().map(|key| key.replace('.', "\\.")).collect::<Vec<_>>().join(".")
    }

    fn pointer(&self) -> String {
        let keys = self.path.iter().map(|key| key.replace('~', "~0").replace('/', "~1"));
        keys.flat_map(|key| ["/".to_owned(), key]).collect()
    }

    /// The value wrapped in the maps above it.
    pub fn nested(&self, value: Value) -> Value {
        self.path.iter().rev().fold(value, |inner, key| serde_json::json!({ key.as_str(): inner }))
    }
}

pub fn leaves() -> Vec<Leaf> {
    parse(&read(&chart().join("values.yaml")))
}

#[derive(Default)]
struct Comment {
    description: Option<String>,
    schema: Option<Value>,
}

fn parse(text: &str) -> Vec<Leaf> {
    let values = documents(text).remove(0);
    let mut leaves: Vec<Leaf> = Vec::new();
    let (mut comment, mut section) = (Comment::default(), String::new());
    let mut groups: Vec<(usize, String)> = Vec::new();
    // What stands deeper than a described value belongs to it.
    let mut inside: Option<usize> = None;
    for (number, line) in text.lines().enumerate() {
        let (indent, trimmed) = (line.len() - line.trim_start().len(), line.trim());
        if let Some(remark) = trimmed.strip_prefix('#') {
            read_comment(remark.trim(), &mut comment, &mut section);
            continue;
        }
        if trimmed.is_empty() {
            comment = Comment::default();
            continue;
        }
        if inside.is_some_and(|depth| indent > depth) {
            continue;
        }
        inside = None;
        let (key, _) = trimmed.split_once(':').unwrap_or_else(|| panic!("line {}: no key", number + 1));
        groups.retain(|(depth, _)| *depth < indent);
        let path = groups.iter().map(|(_, key)| key.clone()).chain([key.to_owned()]).collect();
        let Comment { description, schema } = std::mem::take(&mut comment);
        let Some(description) = description else {
            assert!(trimmed.ends_with(':'), "line {}: {key} has no description", number + 1);
            groups.push((indent, key.to_owned()));
            continue;
        };
        inside = Some(indent);
        let schema = schema.unwrap_or_else(|| serde_json::json!({}));
        let mut leaf = Leaf { path, section: section.clone(), description, schema, default: Value::Null };
        leaf.default = values.pointer(&leaf.pointer()).unwrap().clone();
        leaves.push(leaf);
    }
    leaves
}

fn read_comment(remark: &str, comment: &mut Comment, section: &mut String) {
    if let Some(title) = remark.strip_prefix("@section ") {
        title.clone_into(section);
    } else if let Some(schema) = remark.strip_prefix("@schema ") {
        comment.schema = Some(serde_json::from_str(schema).unwrap());
    } else if let Some(start) = remark.strip_prefix("-- ") {
        comment.description = Some(start.to_owned());
    } else if let Some(description) = &mut comment.description {
        description.push(' ');
        description.push_str(remark);
    }
}

#[test]
fn comments_become_descriptions_and_groups_have_none() {
    let text = "# A remark.\n\n# @section One\n\n# -- First,\n# and more.\n# @schema {\"minimum\": 1}\na: 1\nb:\n  # -- Second.\n  c.d:\n    e: 2\n  # -- Third.\n  f: []\n";
    let leaves = parse(text);
    let names: Vec<String> = leaves.iter().map(Leaf::name).collect();
    assert_eq!(names, ["a", "b.c\\.d", "b.f"]);
    assert_eq!((leaves[0].description.as_str(), leaves[0].section.as_str()), ("First, and more.", "One"));
    assert_eq!(leaves[0].schema, serde_json::json!({"minimum": 1}));
    assert_eq!(leaves[1].default, serde_json::json!({"e": 2}));
    assert_eq!(leaves[1].nested(Value::Bool(true)), serde_json::json!({"b": {"c.d": true}}));
}

#[test]
#[should_panic(expected = "line 1: a has no description")]
fn a_value_without_a_description_is_found() {
    parse("a: 1\n");
}
