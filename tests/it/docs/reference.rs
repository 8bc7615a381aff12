//! The reference page of a kind, from the CRD as it is shipped.

use std::fmt::Write as _;

use serde_json::Value;

/// The page of a CRD.
pub fn page(crd: &Value, note: &str) -> String {
    let (spec, version) = (&crd["spec"], &crd["spec"]["versions"][0]);
    let kind = text(&spec["names"]["kind"]);
    let schema = &version["schema"]["openAPIV3Schema"];
    let mut page = format!("# {kind}\n\n{}\n\n", text(&schema["description"]));
    let short: Vec<_> = list(&spec["names"]["shortNames"]).iter().map(text).collect();
    let _ = write!(
        page,
        "`apiVersion: {}/{}`, `kind: {kind}`; {}; short name `{}`. {note}",
        text(&spec["group"]),
        text(&version["name"]),
        text(&spec["scope"]).to_lowercase(),
        short.join("`, `"),
    );
    let fields: Vec<_> =
        list(&version["selectableFields"]).iter().map(|field| text(&field["jsonPath"]).replacen('.', "", 1)).collect();
    let _ = write!(page, "\nFor `kubectl get --field-selector`: `{}`.\n", fields.join("`, `"));
    for part in ["spec", "status"] {
        let _ = write!(page, "\n## {part}\n\n{}\n\n", text(&schema["properties"][part]["description"]));
        page.push_str("| field | type | meaning |\n|---|---|---|\n");
        rows(part, &schema["properties"][part], &mut page);
    }
    page.push_str("\n## Admission rules\n\nWhat the API server refuses beyond types and bounds, with the message that it gives.\n\n| field | message | rule (CEL) |\n|---|---|---|\n");
    rules("", schema, &mut page);
    page
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn rows(path: &str, schema: &Value, page: &mut String) {
    let required = list(&schema["required"]);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let (path, must) = (format!("{path}.{name}"), required.iter().any(|required| required == name));
        let must = if must { ", required" } else { "" };
        let _ = writeln!(page, "| `{path}` | {}{must} | {} |", kind(field), cell(&text(&field["description"])));
        rows(&path, field, page);
        rows(&format!("{path}[]"), &field["items"], page);
    }
}

/// The type with its bounds.
fn kind(field: &Value) -> String {
    let mut told = text(&field["type"]);
    if field["format"] == "date-time" {
        "time, RFC 3339".clone_into(&mut told);
    }
    if field["type"] == "array" {
        let _ = write!(told, " of {}", kind(&field["items"]));
    }
    let members: Vec<_> = list(&field["enum"]).iter().map(text).collect();
    if !members.is_empty() {
        told = format!("`{}`", members.join("`, `"));
    }
    for (low, high, of) in
        [("minLength", "maxLength", " characters"), ("minimum", "maximum", ""), ("minItems", "maxItems", " items")]
    {
        match (field[low].as_f64(), field[high].as_f64()) {
            (Some(low), Some(high)) if low >= high => drop(write!(told, ", {low}{of}")),
            (Some(low), Some(high)) => drop(write!(told, ", {low} to {high}{of}")),
            (None, Some(high)) => drop(write!(told, ", at most {high}{of}")),
            (Some(low), None) => drop(write!(told, ", at least {low}{of}")),
            (None, None) => {}
        }
    }
    if let Some(pattern) = field["pattern"].as_str() {
        let _ = write!(told, ", matches `{}`", cell(pattern));
    }
    if !field["default"].is_null() {
        let _ = write!(told, ", default `{}`", field["default"]);
    }
    told
}

fn rules(path: &str, schema: &Value, page: &mut String) {
    for rule in list(&schema["x-kubernetes-validations"]) {
        let field = format!("{path}{}", text(&rule["fieldPath"]));
        let field =
            if field.is_empty() { "the whole".to_owned() } else { format!("`{}`", field.trim_start_matches('.')) };
        let _ = writeln!(page, "| {field} | {} | `{}` |", cell(&text(&rule["message"])), cell(&text(&rule["rule"])));
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        rules(&format!("{path}.{name}"), field, page);
    }
    if schema["items"].is_object() {
        rules(&format!("{path}[]"), &schema["items"], page);
    }
}
