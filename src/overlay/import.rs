//! The overlay that a job already has: its differences from its template.

use serde_json::Value;

use super::differences::{Differences, of_rule};
use super::document::{rule_key, rules};
use super::expression::{Expressions, Forms};
use super::memory::Memory;
use super::resolve::{Against, resolve};
use crate::api::sync_job::{AttributeMapping, Mappings, ObjectMapping};

/// How many object mappings a wish can list.
const OBJECTS_MAX: usize = 16;

/// An overlay that changes nothing where it was taken from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    pub mappings: Mappings,
    /// Differences that an overlay cannot say, one sentence each.
    pub left_out: Vec<String>,
}

/// The differences of a job's schema from that of its template.
pub fn import(template: &Value, live: &Value) -> Imported {
    let (mut imported, mut named) = (Imported::default(), 0);
    for rule in rules(live).filter(|rule| rule.get("editable") != Some(&Value::Bool(false))) {
        let key = rule_key(rule);
        let of_template = rules(template).find(|other| rule_key(other) == key);
        let found = of_rule((template, of_template), (live, rule));
        imported.left_out.extend(found.left_out.iter().cloned());
        if found.is_empty() {
            continue;
        }
        named += 1;
        if named == 1 {
            imported.mappings = mappings(found, (rules(live).count() > 1).then_some(key));
        } else {
            imported.left_out.push(format!("rule {key}: it differs as well, and an overlay names one rule."));
        }
    }
    imported.only_what_is_accepted(live);
    imported
}

fn mappings(found: Differences, rule: Option<&str>) -> Mappings {
    Mappings {
        rule_name: rule.map(str::to_owned),
        object_mappings: found.objects,
        container_filter: found.containers,
        group_filter: found.groups,
        ..Mappings::default()
    }
}

impl Imported {
    /// What the schema has and a wish may not say is left out, with the reason.
    fn only_what_is_accepted(&mut self, live: &Value) {
        let objects = std::mem::take(&mut self.mappings.object_mappings);
        for (at, whole) in objects.into_iter().enumerate() {
            if at >= OBJECTS_MAX {
                let (source, target) = (&whole.source_object_name, &whole.target_object_name);
                self.left_out
                    .push(format!("{source} → {target}: an overlay has at most {OBJECTS_MAX} object mappings."));
                continue;
            }
            let bare = ObjectMapping { attribute_mappings: Vec::new(), ..whole.clone() };
            if !self.accepts(&bare, live) {
                continue;
            }
            let alone =
                |entry: &AttributeMapping| ObjectMapping { attribute_mappings: vec![entry.clone()], ..bare.clone() };
            let mut kept = bare.clone();
            for entry in whole.attribute_mappings {
                if self.accepts(&alone(&entry), live) {
                    kept.attribute_mappings.push(entry);
                }
            }
            self.mappings.object_mappings.push(kept);
        }
    }

    fn accepts(&mut self, objects: &ObjectMapping, live: &Value) -> bool {
        let rule_name = self.mappings.rule_name.clone();
        let wish = Mappings { rule_name, object_mappings: vec![objects.clone()], ..Mappings::default() };
        let (known, memory) = (Expressions::default(), Memory::default());
        let forms = Forms::new(&known, &memory.forms);
        let against = Against { live, memory: &memory, known: &known, forms: &forms, everyone: false, respects: false };
        let (_, findings) = resolve(&wish, against);
        self.left_out.extend(findings.0.iter().map(|finding| finding.message.clone()));
        findings.0.is_empty()
    }
}
