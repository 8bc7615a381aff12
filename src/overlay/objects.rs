//! Which object mapping of the schema a wish means, and which attributes its two objects have.

use serde_json::Value;

use super::document::{items, rule_key, rules, text};
use super::finding::FindingKind;
use super::names::{Hit, Names, folds, nearest, pick};
use super::path::Subject;
use crate::api::sync_job::{Mappings, ObjectMapping, Side};

/// What is wrong with a name, and its remedy.
pub(super) type Problem = (FindingKind, String);

/// An object mapping, found.
pub(super) struct Objects<'a> {
    pub(super) rule: &'a Value,
    pub(super) mapping: &'a Value,
    /// Its attribute mappings by their target attribute.
    pub(super) entries: Names<'a>,
    pub(super) source: Object<'a>,
    pub(super) target: Object<'a>,
}

/// An object of a directory.
pub(super) struct Object<'a> {
    pub(super) directory: &'a str,
    pub(super) name: &'a str,
    /// None where the schema does not list it: then nothing is known of its attributes.
    pub(super) attributes: Option<Names<'a>>,
}

impl<'a> Objects<'a> {
    fn new(live: &'a Value, rule: &'a Value, mapping: &'a Value) -> Self {
        let entries = items(mapping, "attributeMappings").map(|entry| (text(entry, "targetAttributeName"), entry));
        Self {
            rule,
            mapping,
            entries: Names::of(entries),
            source: Object::find(live, text(rule, "sourceDirectoryName"), text(mapping, "sourceObjectName")),
            target: Object::find(live, text(rule, "targetDirectoryName"), text(mapping, "targetObjectName")),
        }
    }

    pub(super) fn side(&self, side: Side) -> &Object<'a> {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    pub(super) fn subject(&self) -> Subject {
        Subject::Objects {
            rule: rule_key(self.rule).to_owned(),
            source: text(self.mapping, "sourceObjectName").to_owned(),
            target: text(self.mapping, "targetObjectName").to_owned(),
        }
    }

    /// The attribute mapping of a target attribute.
    pub(super) fn attribute(&self, attribute: &str) -> Subject {
        Subject::Attribute {
            rule: rule_key(self.rule).to_owned(),
            source: text(self.mapping, "sourceObjectName").to_owned(),
            target: text(self.mapping, "targetObjectName").to_owned(),
            attribute: attribute.to_owned(),
        }
    }
}

impl<'a> Object<'a> {
    fn find(live: &'a Value, directory: &'a str, name: &'a str) -> Self {
        let mut directories = items(live, "directories").filter(|found| text(found, "name") == directory);
        let objects = directories.next().map(|found| items(found, "objects").collect()).unwrap_or_default();
        let exact = |object: &&Value| text(object, "name") == name;
        match pick(objects, exact, |object| folds(text(object, "name"), name)) {
            Hit::One(object) => {
                let attributes = items(object, "attributes").map(|attribute| (text(attribute, "name"), attribute));
                Self { directory, name: text(object, "name"), attributes: Some(Names::of(attributes)) }
            }
            Hit::None | Hit::Several(_) => Self { directory, name, attributes: None },
        }
    }

    /// The definition of an attribute, if the schema has exactly one.
    pub(super) fn definition(&self, name: &str) -> Option<&'a Value> {
        match self.attributes.as_ref()?.find(name) {
            Hit::One((_, definition)) => Some(definition),
            Hit::None | Hit::Several(_) => None,
        }
    }

    /// A sentence on an attribute that is known not to exist; none if it exists or if nothing is known.
    pub(super) fn lacks(&self, name: &str) -> Option<String> {
        let attributes = self.attributes.as_ref()?;
        let missing = attributes.find(name) == Hit::None;
        missing.then(|| format!("{} has no attribute '{name}'.{}", self.name, attributes.nearest(name)))
    }

    /// The attribute of a directory.
    pub(super) fn subject(&self, attribute: &str) -> Subject {
        let (directory, object) = (self.directory.to_owned(), self.name.to_owned());
        Subject::Definition { directory, object, attribute: attribute.to_owned() }
    }
}

/// The rules that a wish can mean: the one that it names, else all.
pub(super) fn rules_of<'a>(live: &'a Value, wish: &Mappings) -> Result<Vec<&'a Value>, Problem> {
    let all: Vec<&Value> = rules(live).collect();
    let Some(name) = wish.rule_name.as_deref() else { return Ok(all) };
    let nearest = nearest(name, all.iter().map(|rule| rule_key(rule)));
    match pick(all, |rule| rule_key(rule) == name, |rule| folds(rule_key(rule), name)) {
        Hit::One(rule) => Ok(vec![rule]),
        Hit::None => {
            Err((FindingKind::Invalid, format!("the schema has no rule '{name}'.{nearest} Correct the name.")))
        }
        Hit::Several(_) => Err((FindingKind::Ambiguous, format!("the schema has several rules '{name}'."))),
    }
}

/// Whether an object mapping is one that people see. Hidden ones have no names.
pub(super) fn visible(mapping: &Value) -> bool {
    !text(mapping, "sourceObjectName").is_empty() && !text(mapping, "targetObjectName").is_empty()
}

/// The object mapping that is meant by two names.
pub(super) fn find<'a>(live: &'a Value, rules: &[&'a Value], wish: &ObjectMapping) -> Result<Objects<'a>, Problem> {
    let of_rule = |rule: &'a Value| items(rule, "objectMappings").map(move |mapping| (rule, mapping));
    let all: Vec<_> = rules.iter().flat_map(|rule| of_rule(rule)).filter(|(_, mapping)| visible(mapping)).collect();
    let pair = |mapping: &'a Value| (text(mapping, "sourceObjectName"), text(mapping, "targetObjectName"));
    let (source, target) = (wish.source_object_name.as_str(), wish.target_object_name.as_str());
    let known: Vec<String> = all.iter().map(|(_, mapping)| pair_text(pair(mapping))).collect();
    let exact = |(_, mapping): &(&'a Value, &'a Value)| pair(mapping) == (source, target);
    let folded = |(_, mapping): &(&'a Value, &'a Value)| {
        let found = pair(mapping);
        folds(found.0, source) && folds(found.1, target)
    };
    match pick(all, exact, folded) {
        Hit::One((rule, mapping)) => Ok(Objects::new(live, rule, mapping)),
        Hit::None => {
            let near = nearest(&pair_text((source, target)), known.iter().map(String::as_str));
            Err((FindingKind::Invalid, format!("the schema has no such object mapping.{near} Correct the names.")))
        }
        Hit::Several(found) => Err((FindingKind::Ambiguous, several(&found))),
    }
}

fn pair_text((source, target): (&str, &str)) -> String {
    format!("{source} → {target}")
}

fn several(found: &[(&Value, &Value)]) -> String {
    let mut rules: Vec<String> = found.iter().map(|(rule, _)| format!("'{}'", rule_key(rule))).collect();
    rules.dedup();
    let count = found.len();
    if rules.len() > 1 {
        return format!(
            "the schema has {count} such object mappings, in the rules {}. Set `ruleName` to one of them.",
            rules.join(", ")
        );
    }
    format!(
        "the rule {} has {count} such object mappings. Write the exact names, or remove the double in Entra ID.",
        rules.concat()
    )
}
