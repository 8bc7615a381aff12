//! Files that are made from others, and the test that they are fresh. `make generated` writes them.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::values::{Leaf, leaves};
use super::{chart, documents, of_kind, read, repository, template};

/// Compares a file with what it should be; with `UPDATE=1` writes it instead.
pub fn fresh(path: &Path, content: &str) {
    let there = std::fs::read_to_string(path).unwrap_or_default();
    if there == content {
        return;
    }
    assert!(std::env::var_os("UPDATE").is_some(), "{} is stale: run `make generated`", path.display());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

#[test]
fn the_schema_of_the_values_is_fresh() {
    let text = serde_json::to_string_pretty(&schema(&leaves())).unwrap() + "\n";
    fresh(&chart().join("values.schema.json"), &text);
}

#[test]
fn the_table_of_values_is_fresh() {
    const MARKS: [&str; 2] = ["<!-- values -->\n", "<!-- end of values -->\n"];
    let path = chart().join("README.md");
    let text = read(&path);
    let (before, rest) = text.split_once(MARKS[0]).expect("the mark before the table");
    let (_, after) = rest.split_once(MARKS[1]).expect("the mark after the table");
    let [start, end] = MARKS;
    fresh(&path, &format!("{before}{start}{}{end}{after}", table(&leaves())));
}

#[test]
fn the_template_of_the_crds_is_fresh() {
    fresh(&chart().join("templates/crds.yaml"), &crds_template(&read(&repository().join("crds/entrain.dev.yaml"))));
}

#[test]
fn the_changes_of_the_chart_are_those_of_the_changelog() {
    const MARK: &str = "  artifacthub.io/changes: |\n";
    let path = chart().join("Chart.yaml");
    let text = read(&path);
    let (before, _) = text.split_once(MARK).expect("the changes, as the last annotation");
    let changes = changes(&read(&repository().join("CHANGELOG.md")));
    fresh(&path, &format!("{before}{MARK}{changes}"));
    let metadata = documents(&read(&path)).remove(0);
    let listed = documents(metadata["annotations"]["artifacthub.io/changes"].as_str().unwrap()).remove(0);
    let known = ["added", "changed", "deprecated", "removed", "fixed", "security"];
    let listed = listed.as_array().unwrap();
    assert!(!listed.is_empty() && listed.iter().all(|change| known.contains(&change["kind"].as_str().unwrap())));
}

#[test]
fn the_crds_of_the_chart_are_those_of_the_code() {
    let rendered = documents(&template("x", "x", &[], &json!({"crds": {"keep": false}}), &[]).unwrap());
    let mut rendered: Vec<Value> = of_kind(&rendered, "CustomResourceDefinition").into_iter().cloned().collect();
    for crd in &mut rendered {
        let metadata = crd["metadata"].as_object_mut().unwrap();
        assert!(metadata.remove("labels").is_some());
        assert!(!metadata.contains_key("annotations"));
    }
    assert_eq!(rendered, documents(&entrain::api::schema::yaml().unwrap()));
}

/// Closed wherever the names of all members are known.
fn schema(leaves: &[Leaf]) -> Value {
    let mut root = closed();
    for leaf in leaves {
        let mut at = &mut root;
        for group in &leaf.path[..leaf.path.len() - 1] {
            at = &mut at["properties"][group];
            if at.is_null() {
                *at = closed();
            }
        }
        at["properties"][leaf.path.last().unwrap()] = property(leaf);
    }
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("Values of the chart entrain");
    root
}

fn closed() -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": {}})
}

fn property(leaf: &Leaf) -> Value {
    let mut property = json!({"description": leaf.description, "default": leaf.default});
    let kind = match &leaf.default {
        Value::Null => Value::Null,
        Value::Bool(_) => json!("boolean"),
        Value::Number(_) => json!("integer"),
        Value::String(_) => json!("string"),
        Value::Array(_) => json!("array"),
        Value::Object(_) => json!("object"),
    };
    property["type"] = kind;
    for (keyword, value) in leaf.schema.as_object().unwrap() {
        property[keyword] = value.clone();
    }
    assert!(!property["type"].is_null(), "{} needs a @schema with its type", leaf.name());
    property
}

fn table(leaves: &[Leaf]) -> String {
    let (mut text, mut section) = (String::new(), "");
    for leaf in leaves {
        if leaf.section != section {
            section = &leaf.section;
            write!(text, "\n### {section}\n\n| key | meaning | default |\n|---|---|---|\n").unwrap();
        }
        let description = leaf.description.replace('|', "\\|");
        writeln!(text, "| `{}` | {description} | `{}` |", leaf.name(), leaf.default).unwrap();
    }
    text + "\n"
}

/// The newest section of a changelog, in the form of Artifact Hub.
fn changes(changelog: &str) -> String {
    let newest = changelog.split("\n## ").nth(1).expect("a section");
    let (mut kind, mut changes) = (String::new(), Vec::<(String, String)>::new());
    for line in newest.lines().skip(1) {
        match (line.strip_prefix("### "), line.strip_prefix("- "), line.strip_prefix("  ")) {
            (Some(heading), ..) => kind = heading.to_lowercase(),
            (_, Some(change), _) => changes.push((kind.clone(), change.to_owned())),
            (_, _, Some(more)) => {
                let (_, change) = changes.last_mut().expect("a change that goes on");
                change.extend([" ", more.trim()]);
            }
            _ => assert!(line.is_empty(), "a line that is no change: {line}"),
        }
    }
    let mut text = String::new();
    for (kind, change) in changes {
        writeln!(text, "    - kind: {kind}\n      description: {}", json!(change)).unwrap();
    }
    text
}

fn crds_template(crds: &str) -> String {
    let mut text = "{{- /* Generated from crds/ by `make generated`. */}}\n{{- if .Values.crds.enabled }}\n".to_owned();
    for crd in crds.split("---\n").skip(1) {
        let (head, body) = crd.split_once("\nspec:\n").unwrap();
        text += "---\n";
        text += head;
        text += CRD_METADATA;
        text += "spec:\n";
        text += &body.replace("{{", "{{ \"{{\" }}");
    }
    text + "{{- end }}\n"
}

const CRD_METADATA: &str = r#"
  labels:
    {{- include "entrain.labels" . | nindent 4 }}
  {{- if or .Values.crds.keep .Values.crds.annotations }}
  annotations:
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
    {{- with .Values.crds.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
"#;

#[test]
fn text_of_a_crd_that_looks_like_a_template_stays_text() {
    let template = crds_template("# Generated.\n---\nmetadata:\n  name: a\nspec:\n  x: '{{ y }}'\n");
    assert!(template.contains("\nspec:\n  x: '{{ \"{{\" }} y }}'\n"), "{template}");
}
