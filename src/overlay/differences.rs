//! How one rule of a job differs from that of its template, in the words of a wish.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::{items, member, text};
use super::expression::{Expressions, Forms};
use super::meaning::{flag, flow_types, names, number, same};
use super::names::{Hit, Names};
use super::objects::visible;
use super::path::Member;
use crate::api::sync_job::{
    AttributeDefinition, AttributeMapping, ContainerFilter, GroupFilter, MappingState, ObjectMapping, ScopeClause,
    ScopeFilter, ScopeGroup, Side,
};

/// How many attribute mappings and definitions an object mapping of a wish can list.
const ATTRIBUTES_MAX: usize = 128;
const DEFINITIONS_MAX: usize = 64;
/// How long a default value of a wish can be.
const DEFAULT_MAX: usize = 1024;

/// What a rule has that its template has not.
#[derive(Default)]
pub(super) struct Differences {
    pub(super) objects: Vec<ObjectMapping>,
    pub(super) containers: Option<ContainerFilter>,
    pub(super) groups: Option<GroupFilter>,
    pub(super) left_out: Vec<String>,
}

impl Differences {
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.containers.is_none() && self.groups.is_none()
    }
}

/// A schema and one of its rules.
type Ruled<'a> = (&'a Value, &'a Value);

pub(super) fn of_rule(template: (&Value, Option<&Value>), live: Ruled<'_>) -> Differences {
    let forms = Forms::new(&Expressions::default(), &std::collections::BTreeMap::new());
    let mut finder =
        Finder { forms, template: template.0, live: live.0, found: Differences::default(), defined: Vec::new() };
    let both = |part| (template.1.and_then(|rule| member(rule, part)), member(live.1, part));
    let other = |part| {
        let (before, after) = both(part);
        (!same(part, before, after, &finder.forms)).then(|| names(after).into_iter().map(str::to_owned).collect())
    };
    finder.found.containers =
        other(Member::ContainerFilter).map(|included_containers| ContainerFilter { included_containers });
    finder.found.groups = other(Member::GroupFilter).map(|included_groups| GroupFilter { included_groups });
    for mapping in items(live.1, "objectMappings").filter(|mapping| visible(mapping)) {
        let pair = |mapping: &Value| {
            (text(mapping, "sourceObjectName").to_owned(), text(mapping, "targetObjectName").to_owned())
        };
        let twin = |other: &&Value| pair(other) == pair(mapping);
        if items(live.1, "objectMappings").filter(twin).count() > 1 {
            let (source, target) = pair(mapping);
            finder.found.left_out.push(format!("{source} → {target}: the rule has several such object mappings."));
            continue;
        }
        let of_template = template.1.and_then(|rule| items(rule, "objectMappings").find(twin));
        finder.objects(live.1, of_template, mapping);
    }
    finder.found
}

struct Finder<'a> {
    forms: Forms,
    template: &'a Value,
    live: &'a Value,
    found: Differences,
    /// Definitions that are listed already: several object mappings can have the same objects.
    defined: Vec<(String, String, String)>,
}

impl Finder<'_> {
    fn objects(&mut self, rule: &Value, before: Option<&Value>, after: &Value) {
        let mut wish = ObjectMapping {
            source_object_name: text(after, "sourceObjectName").to_owned(),
            target_object_name: text(after, "targetObjectName").to_owned(),
            ..ObjectMapping::default()
        };
        let place = format!("{} → {}", wish.source_object_name, wish.target_object_name);
        let other = |part| !same(part, before.and_then(|whole| member(whole, part)), member(after, part), &self.forms);
        wish.enabled = other(Member::Enabled).then(|| flag(member(after, Member::Enabled)));
        if other(Member::FlowTypes) {
            let types = flow_types(member(after, Member::FlowTypes));
            wish.flow_types = types.into_iter().map(parsed).collect();
            if wish.flow_types.is_none() {
                self.found.left_out.push(format!("{place}: its flow types are not known."));
            }
        }
        if other(Member::Scope) {
            wish.scope = Some(scope(member(after, Member::Scope)));
        }
        for (side, directory) in [(Side::Source, "sourceDirectoryName"), (Side::Target, "targetDirectoryName")] {
            let object = match side {
                Side::Source => &wish.source_object_name,
                Side::Target => &wish.target_object_name,
            };
            let added = self.definitions(side, text(rule, directory), object, &place);
            wish.attribute_definitions.extend(added);
        }
        wish.attribute_definitions.truncate(DEFINITIONS_MAX);
        wish.attribute_mappings = self.attributes(before, after, &place);
        let bare = ObjectMapping {
            source_object_name: wish.source_object_name.clone(),
            target_object_name: wish.target_object_name.clone(),
            ..ObjectMapping::default()
        };
        if wish != bare {
            self.found.objects.push(wish);
        }
    }

    /// The attributes that an object has and its template has not.
    fn definitions(&mut self, side: Side, directory: &str, object: &str, place: &str) -> Vec<AttributeDefinition> {
        fn attributes<'a>(schema: &'a Value, directory: &str, object: &str) -> Vec<&'a Value> {
            let named = |list: &'static str, holder: &'a Value, name: &str| {
                items(holder, list).find(|item| text(item, "name") == name)
            };
            let found = named("directories", schema, directory).and_then(|found| named("objects", found, object));
            found.into_iter().flat_map(|object| items(object, "attributes")).collect()
        }
        let known: Vec<&str> =
            attributes(self.template, directory, object).into_iter().map(|known| text(known, "name")).collect();
        let mut added = Vec::new();
        for definition in attributes(self.live, directory, object) {
            let name = text(definition, "name");
            let key = (directory.to_owned(), object.to_owned(), name.to_owned());
            if known.is_empty() || known.contains(&name) || self.defined.contains(&key) {
                continue;
            }
            self.defined.push(key);
            match parsed(text(definition, "type")) {
                Some(type_) => {
                    let set = |flag_name| flag(definition.get(flag_name)).then_some(true);
                    let (multivalued, required, case_exact) = (set("multivalued"), set("required"), set("caseExact"));
                    let name = name.to_owned();
                    added.push(AttributeDefinition { side, name, type_, multivalued, required, case_exact });
                }
                None => self.found.left_out.push(format!("{place}: the type of the attribute '{name}' is not known.")),
            }
        }
        added
    }

    fn attributes(&mut self, before: Option<&Value>, after: &Value, place: &str) -> Vec<AttributeMapping> {
        fn entries(objects: &Value) -> Names<'_> {
            Names::of(items(objects, "attributeMappings").map(|entry| (text(entry, "targetAttributeName"), entry)))
        }
        let (old, new) = (before.map(entries).unwrap_or_default(), entries(after));
        let mut wishes = Vec::new();
        for (name, entry) in new.all() {
            let problem = match (new.find(name), old.find_exactly(name)) {
                (Hit::Several(_), _) => Err("it is mapped several times".to_owned()),
                (Hit::One(_) | Hit::None, before) => attribute(name, before, entry, &self.forms),
            };
            match problem {
                Ok(wish) => wishes.extend(wish),
                Err(problem) => self.found.left_out.push(format!("{place}, {name}: {problem}.")),
            }
        }
        let gone = old.all().filter(|(name, _)| new.find_exactly(name).is_none());
        wishes.extend(gone.map(|(name, _)| AttributeMapping {
            target_attribute_name: name.to_owned(),
            state: Some(MappingState::Absent),
            ..AttributeMapping::default()
        }));
        for wish in wishes.iter().skip(ATTRIBUTES_MAX) {
            let name = &wish.target_attribute_name;
            self.found
                .left_out
                .push(format!("{place}, {name}: an overlay has at most {ATTRIBUTES_MAX} attributes here."));
        }
        wishes.truncate(ATTRIBUTES_MAX);
        wishes
    }
}

/// The members of an attribute mapping that differ; none if none does.
fn attribute(
    name: &str,
    before: Option<&Value>,
    after: &Value,
    forms: &Forms,
) -> Result<Option<AttributeMapping>, String> {
    let of = |part| member(after, part);
    let other = |part| !same(part, before.and_then(|whole| member(whole, part)), of(part), forms);
    let mut wish = AttributeMapping { target_attribute_name: name.to_owned(), ..AttributeMapping::default() };
    let bare = wish.clone();
    if other(Member::Source) || before.is_none() {
        let written = of(Member::Source).map(|source| text(source, "expression")).filter(|written| !written.is_empty());
        wish.expression = Some(written.ok_or("it has no expression, which an overlay cannot say")?.to_owned());
    }
    if other(Member::DefaultValue) {
        let default = of(Member::DefaultValue).and_then(Value::as_str).unwrap_or_default();
        let fits = default.chars().count() <= DEFAULT_MAX;
        wish.default_value = Some(fits.then(|| default.to_owned()).ok_or("its default value is too long")?);
    }
    if other(Member::MatchingPriority) {
        let priority =
            i32::try_from(number(of(Member::MatchingPriority))).ok().filter(|found| (0..=100).contains(found));
        wish.matching_priority = Some(priority.ok_or("its matching priority is none that an overlay can say")?);
    }
    if other(Member::FlowType) {
        let flow = of(Member::FlowType).and_then(Value::as_str).unwrap_or("Always");
        wish.flow_type = Some(parsed(flow).ok_or("its flow type is not known")?);
    }
    if other(Member::FlowBehavior) {
        let flow = of(Member::FlowBehavior).and_then(Value::as_str).unwrap_or("FlowWhenChanged");
        wish.flow_behavior = Some(parsed(flow).ok_or("its flow behavior is not known")?);
    }
    Ok((wish != bare).then_some(wish))
}

fn scope(groups: Option<&Value>) -> ScopeFilter {
    let clause = |clause: &Value| ScopeClause {
        attribute: text(clause, "sourceOperandName").to_owned(),
        operator: text(clause, "operatorName").to_owned(),
        values: names(clause.get("targetOperand").and_then(|operand| operand.get("values")))
            .into_iter()
            .map(str::to_owned)
            .collect(),
    };
    let group = |group: &Value| ScopeGroup {
        name: text(group, "name").to_owned(),
        clauses: items(group, "clauses").map(clause).collect(),
    };
    let groups = groups.and_then(Value::as_array).into_iter().flatten().map(group).collect();
    ScopeFilter { groups }
}

/// One of our enums, if Graph's word is one of its variants.
fn parsed<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(Value::String(word.to_owned())).ok()
}
