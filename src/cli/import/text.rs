//! A manifest as people read it: YAML with comments.

use std::fmt::Write;

use super::error::ImportError;
use super::manifest::{Document, Imported};

/// The SyncJob, and below it as comments further jobs of its template.
pub(super) fn render(document: &Document) -> Result<String, ImportError> {
    let mut out = one(&document.first)?;
    for other in &document.others {
        line(&mut out, "#", "");
        comment(
            &mut out,
            "A further job of this template. Only one of them can be declared: to have this one, write it in place of the one above.",
        );
        for text in one(other)?.lines() {
            line(&mut out, "#", text);
        }
    }
    Ok(out)
}

fn one(imported: &Imported) -> Result<String, ImportError> {
    let mut out = String::new();
    for text in &imported.comments {
        comment(&mut out, text);
    }
    // An id stays on one line, so that it can be searched for.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: false };
    let yaml = serde_saphyr::to_string_with_options(&imported.object, options);
    out.push_str(&yaml.map_err(|error| ImportError::Yaml(error.to_string()))?);
    placeholders(&mut out, imported);
    Ok(out)
}

/// What Graph does not show is not declared: the SyncJob would ask for a Secret that is not there.
fn placeholders(out: &mut String, imported: &Imported) {
    let hidden: Vec<String> = imported.hidden.iter().map(|key| printable(key)).collect();
    if hidden.is_empty() {
        return;
    }
    let name = imported.object.metadata.name.as_deref().unwrap_or_default();
    line(
        out,
        "  #",
        "Graph does not show these. To have them kept, put them into a Secret and add them to `credentials`:",
    );
    for key in hidden {
        line(out, "  #", &format!("- key: {key}"));
        line(out, "  #", &format!("  valueFrom: {{secretKeyRef: {{name: {name}, key: {key}}}}}"));
    }
}

fn comment(out: &mut String, text: &str) {
    line(out, "#", &printable(text));
}

fn line(out: &mut String, mark: &str, text: &str) {
    // Writing into a String does not fail.
    let _ = if text.is_empty() { writeln!(out, "{mark}") } else { writeln!(out, "{mark} {text}") };
}

/// One line: what the tenant calls something must neither end a comment nor steer a terminal.
pub(super) fn printable(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let bends = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !bends(*c)).map(|c| if breaks(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_the_tenant_ends_a_comment() {
        for odd in ["a\nb: c", "a\r\nb", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "a\u{b}b", "a\u{1b}[2Jb"] {
            let mut out = String::new();
            comment(&mut out, odd);
            assert_eq!(out.chars().filter(|c| c.is_control()).collect::<Vec<_>>(), ['\n'], "{odd:?}");
            assert!(out.starts_with("# a") && !out.contains(['\u{2028}', '\u{2029}']), "{odd:?}");
        }
        assert_eq!(printable("a\u{202e}b"), "ab");
    }
}
