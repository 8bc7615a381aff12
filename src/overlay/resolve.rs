//! From a wish to the values that it wants of the schema, or to all that is wrong with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::check;
use super::document::{member, rule_key, rules, word};
use super::expression::{Expressions, Forms, Parsed, local, reads, squeezed};
use super::finding::{FindingKind, Findings};
use super::fresh;
use super::meaning::same;
use super::memory::Memory;
use super::names::{Hit, folds};
use super::objects::{Objects, Problem, find, rules_of};
use super::path::{Member, Subject};
use super::wanted::{Existence, Group};
use crate::api::sync_job::{
    AttributeDefinition, AttributeMapping, MappingPolicy, MappingState, Mappings, ObjectMapping, OnRelease, Side,
};

const TWICE_UNLISTED: &str =
    "the schema maps the attribute several times, and policy Exact would remove it. Remove the double in Entra ID.";

/// What a wish is resolved against.
#[derive(Clone, Copy)]
pub(super) struct Against<'a> {
    pub(super) live: &'a Value,
    pub(super) memory: &'a Memory,
    pub(super) known: &'a Expressions,
    pub(super) forms: &'a Forms,
    pub(super) everyone: bool,
    /// Whether what somebody removed stays so.
    pub(super) respects: bool,
}

/// The groups in the order of the wish, but for definitions, which what uses them needs.
pub(super) fn resolve(wish: &Mappings, against: Against<'_>) -> (Vec<Group>, Findings) {
    let mut resolver = Resolver { wish, against, groups: Vec::new(), findings: Findings::default() };
    match rules_of(against.live, wish) {
        Ok(rules) => resolver.all(&rules),
        Err((kind, problem)) => resolver.findings.add(kind, "ruleName", &problem),
    }
    (resolver.groups, resolver.findings)
}

struct Resolver<'a> {
    wish: &'a Mappings,
    against: Against<'a>,
    groups: Vec<Group>,
    findings: Findings,
}

/// One attribute mapping of the wish, and what it means.
struct Entry<'a> {
    wish: &'a AttributeMapping,
    place: String,
    subject: Subject,
    live: Option<&'a Value>,
}

fn place_of(objects: &ObjectMapping) -> String {
    format!("{} → {}", objects.source_object_name, objects.target_object_name)
}

impl<'a> Resolver<'a> {
    fn all(&mut self, rules: &[&'a Value]) {
        let places: Vec<String> = self.wish.object_mappings.iter().map(place_of).collect();
        for double in check::doubles(&places) {
            self.findings.invalid(double, "the object mapping is listed twice. Take one of the two out.");
        }
        let mut of_objects = Vec::new();
        for (objects, place) in self.wish.object_mappings.iter().zip(&places) {
            match find(self.against.live, rules, objects) {
                Ok(found) => {
                    of_objects.push(found.rule);
                    self.objects(objects, &found, place);
                }
                Err((kind, problem)) => self.findings.add(kind, place, &problem),
            }
        }
        self.filters(rules, &of_objects);
    }

    fn objects(&mut self, wish: &'a ObjectMapping, found: &Objects<'a>, place: &str) {
        if found.rule.get("editable") == Some(&json!(false)) {
            let rule = rule_key(found.rule);
            let problem = format!("the rule {rule} is read-only in Entra ID. Take the object mapping out.");
            return self.findings.add(FindingKind::ReadOnly, place, &problem);
        }
        let mut group = Group::new(found.subject(), None);
        if let Some(enabled) = wish.enabled {
            group.want(Member::Enabled, Some(json!(enabled)));
        }
        if let Some(types) = &wish.flow_types {
            group.want(Member::FlowTypes, Some(fresh::flow_types(types)));
        }
        if let Some(scope) = &wish.scope {
            let groups = fresh::scope(scope);
            let there = member(found.mapping, Member::Scope);
            let is_new = !same(Member::Scope, there, groups.as_ref(), self.against.forms);
            for clause in scope.groups.iter().flat_map(|group| &group.clauses).filter(|_| is_new) {
                if let Some(problem) = check::clause(clause, &found.source, &wish.attribute_definitions) {
                    self.findings.invalid(&format!("{place}, scope"), &problem);
                }
            }
            group.want(Member::Scope, groups);
        }
        self.groups.push(group);
        for definition in &wish.attribute_definitions {
            self.definition(definition, found, place);
        }
        self.attributes(wish, found, place);
    }

    fn definition(&mut self, wish: &AttributeDefinition, found: &Objects<'a>, place: &str) {
        let object = found.side(wish.side);
        let place = format!("{place}, attributeDefinitions {}", wish.name);
        let Some(attributes) = &object.attributes else {
            let problem =
                format!("the schema does not list the attributes of {}, so that none can be added.", object.name);
            return self.findings.invalid(&place, &problem);
        };
        let subject = object.subject(&wish.name);
        let live = attributes.all().find(|(name, _)| *name == wish.name);
        let ours = self.against.memory.get(&subject, Member::Existence).is_some();
        if let Some((_, live)) = live.filter(|_| !ours) {
            if let Some(problem) = check::contradiction(wish, live) {
                self.findings.invalid(&place, &problem);
            }
            return;
        }
        let siblings: Vec<_> = attributes.all().map(|(_, definition)| definition).collect();
        let added = Existence::Present(fresh::definition(wish, &siblings));
        self.groups.push(Group::new(subject, Some(added)));
    }

    fn attributes(&mut self, wish: &'a ObjectMapping, found: &Objects<'a>, place: &str) {
        let names: Vec<String> =
            wish.attribute_mappings.iter().map(|entry| entry.target_attribute_name.clone()).collect();
        for double in check::doubles(&names) {
            self.findings
                .invalid(&format!("{place}, {double}"), "the attribute is listed twice. Take one of the two out.");
        }
        let mut listed = Vec::new();
        for entry in &wish.attribute_mappings {
            let place = format!("{place}, {}", entry.target_attribute_name);
            let (name, live) = match found.entries.find(&entry.target_attribute_name) {
                Hit::One((name, live)) => (name.to_owned(), Some(live)),
                Hit::None => (self.spelling(found, &entry.target_attribute_name), None),
                Hit::Several(all) => {
                    let all = all.iter().map(|(name, _)| format!("'{name}'")).collect::<Vec<_>>().join(", ");
                    let problem = format!(
                        "the schema has several such attribute mappings: {all}. Write the exact name, or remove the double in Entra ID."
                    );
                    self.findings.add(FindingKind::Ambiguous, &place, &problem);
                    continue;
                }
            };
            let subject = found.attribute(&name);
            listed.push(name);
            self.attribute(&Entry { wish: entry, place, subject, live }, found, wish);
        }
        // Who lists no attribute switches the whole, and does not mean to empty it.
        if self.wish.policy == Some(MappingPolicy::Exact) && !wish.attribute_mappings.is_empty() {
            self.unlisted(&listed, found, place);
        }
    }

    /// The schema's spelling of an attribute that is not mapped: as it was when it was, else as the directory has it.
    fn spelling(&self, found: &Objects<'a>, name: &str) -> String {
        let mapped = self.remembered(found);
        let spelt =
            mapped.iter().find(|known| **known == name).or_else(|| mapped.iter().find(|known| folds(known, name)));
        let listed = || found.target.attributes.as_ref().map(|attributes| attributes.find(name));
        match (spelt, listed) {
            (Some(spelt), _) => (*spelt).to_owned(),
            (None, listed) => match listed() {
                Some(Hit::One((spelt, _))) => spelt.to_owned(),
                Some(Hit::None | Hit::Several(_)) | None => name.to_owned(),
            },
        }
    }

    /// The attribute mappings of an object mapping of which something is owned.
    fn remembered(&self, found: &Objects<'a>) -> Vec<&'a str> {
        let owner = found.subject();
        let subjects = self.against.memory.owned.keys().map(|path| &path.subject);
        let mut names: Vec<&str> = subjects.filter_map(|subject| subject.attribute_of(&owner)).collect();
        names.dedup();
        names
    }

    fn attribute(&mut self, entry: &Entry<'a>, found: &Objects<'a>, objects: &ObjectMapping) {
        if entry.wish.state == Some(MappingState::Absent) {
            return self.absent(entry, found);
        }
        for problem in self.problems(entry, found, objects) {
            self.findings.invalid(&entry.place, &problem);
        }
        let added = Existence::Present(fresh::entry(name_of(&entry.subject), found.mapping));
        let mut group = Group::new(entry.subject.clone(), Some(added));
        if let Some(expression) = &entry.wish.expression {
            match self.source(expression, entry.live) {
                Ok(source) => group.want(Member::Source, Some(source)),
                Err(problem) => self.findings.invalid(&entry.place, &problem),
            }
            if let Some(want) = group.values.last_mut() {
                want.wish = squeezed(expression);
            }
        }
        let wish = entry.wish;
        if let Some(default) = &wish.default_value {
            group.want(Member::DefaultValue, (!default.is_empty()).then(|| json!(default)));
        }
        if let Some(priority) = wish.matching_priority {
            group.want(Member::MatchingPriority, Some(json!(priority)));
        }
        if let Some(flow) = wish.flow_type {
            group.want(Member::FlowType, Some(word(flow)));
        }
        if let Some(flow) = wish.flow_behavior {
            group.want(Member::FlowBehavior, Some(word(flow)));
        }
        self.groups.push(group);
    }

    fn problems(&self, entry: &Entry<'a>, found: &Objects<'a>, objects: &ObjectMapping) -> Vec<String> {
        let declared = &objects.attribute_definitions;
        let (name, expression) = (name_of(&entry.subject), entry.wish.expression.as_deref());
        let there = entry.live.and_then(|whole| member(whole, Member::Source));
        // What the schema has already is not refused: a job that was imported is as it is.
        let expression_if_new = expression.filter(|text| !reads(there, text));
        let unmapped = entry.live.is_none().then(|| {
            let lacking = check::lacks(&found.target, name, Side::Target, declared);
            lacking.map(|problem| format!("{problem} Correct the name, or add it to `attributeDefinitions`."))
        });
        let needed = (expression.is_none() && self.needs_expression(entry)).then(|| {
            "the attribute is not mapped, and a mapping that is not there yet needs an `expression`.".to_owned()
        });
        let writes = entry.live.is_none() || expression_if_new.is_some();
        let read_only = writes.then(|| check::read_only(found, name)).flatten();
        let of_expression =
            expression_if_new.and_then(|text| check::expression(text, &found.source, declared, self.against.everyone));
        [unmapped.flatten(), needed, read_only, of_expression].into_iter().flatten().collect()
    }

    /// Whether the mapping will have to be added, or was: there is no source to keep then.
    fn needs_expression(&self, entry: &Entry<'a>) -> bool {
        let memory = self.against.memory;
        let existence = memory.get(&entry.subject, Member::Existence);
        if existence.is_some_and(|owned| owned.wish == "Present") {
            return true;
        }
        let comes_back =
            existence.is_some_and(|owned| owned.former.is_some()) && self.wish.on_release != Some(OnRelease::Keep);
        let removed = existence.is_none() && memory.paths().any(|path| path.subject == entry.subject);
        entry.live.is_none() && !comes_back && !(removed && self.against.respects)
    }

    fn source(&self, expression: &str, live: Option<&Value>) -> Result<Value, String> {
        let live = live.and_then(|entry| member(entry, Member::Source));
        let found = live.filter(|_| reads(live, expression)).cloned().or_else(|| self.against.forms.of(expression));
        if let Some(source) = local(expression).or(found) {
            return Ok(source);
        }
        Err(match self.against.known.0.get(expression) {
            Some(Parsed::Refused(why)) => format!("the service cannot parse the expression: {why}"),
            Some(Parsed::NotOffered) => {
                "this cloud has no route that parses expressions, so that only `[attribute]` and `\"constant\"` can be used.".to_owned()
            }
            Some(Parsed::Source(_)) | None => "the service has not parsed the expression yet.".to_owned(),
        })
    }

    fn absent(&mut self, entry: &Entry<'a>, found: &Objects<'a>) {
        let name = name_of(&entry.subject);
        let forgotten = entry.live.is_none() && !self.remembered(found).contains(&name);
        let lacking = forgotten.then(|| found.target.lacks(name)).flatten();
        if let Some(problem) = lacking.map(|problem| format!("{problem} Correct the name.")) {
            self.findings.invalid(&entry.place, &problem);
        }
        if let Some(problem) = entry.live.and_then(|_| check::required(found, name)) {
            self.findings.invalid(&entry.place, &format!("{problem} Take `state` out."));
        }
        self.groups.push(Group::new(entry.subject.clone(), Some(Existence::Absent)));
    }

    /// What policy Exact removes: what is mapped and not listed, and what was removed before.
    fn unlisted(&mut self, listed: &[String], found: &Objects<'a>, place: &str) {
        let removed = |name: &&str| {
            let owned = self.against.memory.get(&found.attribute(name), Member::Existence);
            owned.is_some_and(|owned| owned.wish == "Absent")
        };
        let before = self.remembered(found).into_iter().filter(removed);
        let names: BTreeSet<&str> = found.entries.all().map(|(name, _)| name).chain(before).collect();
        for name in names.into_iter().filter(|name| !listed.iter().any(|listed| listed == name)) {
            let place = format!("{place}, {name}");
            let refused = match found.entries.find(name) {
                Hit::Several(_) => Some((FindingKind::Ambiguous, TWICE_UNLISTED.to_owned())),
                Hit::One(_) => check::required(found, name).map(|problem| {
                    (FindingKind::Invalid, format!("{problem} Policy Exact removes what is not listed: list it."))
                }),
                Hit::None => None,
            };
            match refused {
                Some((kind, problem)) => self.findings.add(kind, &place, &problem),
                None => self.groups.push(Group::new(found.attribute(name), Some(Existence::Absent))),
            }
        }
    }

    fn filters(&mut self, rules: &[&'a Value], of_objects: &[&'a Value]) {
        let wish = self.wish;
        let named = |names: &[String]| fresh::list(names.iter().map(|name| json!(name)).collect());
        let containers = wish.container_filter.as_ref().map(|filter| named(&filter.included_containers));
        let groups = wish.group_filter.as_ref().map(|filter| named(&filter.included_groups));
        let wanted: Vec<(Member, Option<Value>)> =
            [(Member::ContainerFilter, containers), (Member::GroupFilter, groups)]
                .into_iter()
                .filter_map(|(member, wanted)| Some((member, wanted?)))
                .collect();
        let Some((first, _)) = wanted.first() else { return };
        let place = first.names()[0];
        match self.rule(rules, of_objects) {
            Ok(rule) => {
                let mut group = Group::new(Subject::Rule { rule: rule_key(rule).to_owned() }, None);
                for (member, value) in wanted {
                    group.want(member, value);
                }
                self.groups.push(group);
            }
            Err((kind, problem)) => self.findings.add(kind, place, &problem),
        }
    }

    /// The rule that filters belong to: that of the listed object mappings, else the only one.
    fn rule(&self, all: &[&'a Value], of_objects: &[&'a Value]) -> Result<&'a Value, Problem> {
        let candidates = if of_objects.is_empty() { all } else { of_objects };
        let Some(rule) = candidates.first() else {
            return Err((FindingKind::Invalid, "the schema has no rule.".to_owned()));
        };
        let key = rule_key(rule);
        let twin = rules(self.against.live).filter(|other| rule_key(other) == key).count() > 1;
        if twin || candidates.iter().any(|other| !std::ptr::eq(*other, *rule)) {
            return Err((FindingKind::Ambiguous, "the schema has several rules. Set `ruleName`.".to_owned()));
        }
        if rule.get("editable") == Some(&json!(false)) {
            return Err((
                FindingKind::ReadOnly,
                format!("the rule {key} is read-only in Entra ID. Take the filter out."),
            ));
        }
        Ok(rule)
    }
}

/// The target attribute of an attribute mapping.
fn name_of(subject: &Subject) -> &str {
    match subject {
        Subject::Attribute { attribute, .. } | Subject::Definition { attribute, .. } => attribute,
        Subject::Rule { .. } | Subject::Objects { .. } => "",
    }
}
