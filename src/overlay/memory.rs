//! What is kept of an overlay that was applied: for each owned value what was there before, what was put there and the wish
//! that led to it. It must be saved before the schema is: a schema that was saved without it cannot be given back.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::document::{find, member};
use super::expression::{Expressions, Forms};
use super::meaning::same;
use super::path::{Member, Path, Subject};

const VERSION: u32 = 1;

/// What was applied. One of another version is not read: what it means is not known.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Memory {
    #[serde(deserialize_with = "version")]
    version: u32,
    /// JSON has no keys with members.
    #[serde(with = "as_list")]
    pub(super) owned: BTreeMap<Path, Owned>,
    /// The service's normal form of each expression that is owned.
    #[serde(default)]
    pub(super) forms: BTreeMap<String, Value>,
}

/// What is kept of one value. None stands for absent.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub(super) struct Owned {
    /// What was there when it came to be owned.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) former: Option<Value>,
    /// What was put there last.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) applied: Option<Value>,
    /// The wish that led to it, as it was written.
    pub(super) wish: String,
    /// What was there when it was put there, until the schema was read with it: until then its save may not have happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unseen: Option<Before>,
}

/// A value as it was before a save.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub(super) struct Before {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) value: Option<Value>,
    /// A later save left it as somebody had made it meanwhile: no answer to that save says anything of this value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) left: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self { version: VERSION, owned: BTreeMap::new(), forms: BTreeMap::new() }
    }
}

impl Memory {
    /// The save that put all of this in place was accepted: a value that is as before is somebody else's doing.
    #[must_use]
    pub fn accepted(mut self) -> Self {
        self.owned.values_mut().for_each(|owned| owned.unseen = owned.unseen.take().filter(|before| before.left));
        self
    }

    /// It may never have been put in place: what the one before it owned and it does not is owned still.
    #[must_use]
    pub fn with_those_of(mut self, previous: Option<Self>) -> Self {
        let previous = previous.unwrap_or_default();
        previous.owned.into_iter().for_each(|(path, owned)| _ = self.owned.entry(path).or_insert(owned));
        previous.forms.into_iter().for_each(|(text, form)| _ = self.forms.entry(text).or_insert(form));
        self
    }

    /// Whether the schema shows that the save of all this was carried out: some value is as it was put there, and was not so
    /// before.
    pub fn is_shown(&self, schema: &Value, known: &Expressions) -> bool {
        let forms = Forms::new(known, &self.forms);
        self.owned.iter().filter(|(path, _)| path.member != Member::Existence).any(|(path, owned)| {
            let live = find(schema, &path.subject).map(|whole| member(whole, path.member));
            let as_applied = |value| same(path.member, value, owned.applied.as_ref(), &forms);
            let (Some(before), Some(live)) = (owned.doubt(), live) else { return false };
            as_applied(live) && !as_applied(before.value.as_ref())
        })
    }

    /// How many values are owned.
    pub fn len(&self) -> usize {
        self.owned.len()
    }

    pub fn is_empty(&self) -> bool {
        self.owned.is_empty()
    }

    /// The owned values.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.owned.keys()
    }

    pub(super) fn get(&self, subject: &Subject, member: Member) -> Option<&Owned> {
        self.owned.get(&subject.path(member))
    }
}

impl Owned {
    /// What was there before the last save of it, as long as that may not have happened.
    pub(super) fn doubt(&self) -> Option<&Before> {
        self.unseen.as_ref().filter(|before| !before.left)
    }

    /// Whether what is there is what was put there, or what was there before, if that save may not have happened.
    pub(super) fn ours(&self, member: Member, live: Option<&Value>, forms: &Forms) -> bool {
        let not_saved = |before: &Before| same(member, live, before.value.as_ref(), forms);
        same(member, live, self.applied.as_ref(), forms) || self.doubt().is_some_and(not_saved)
    }
}

/// What comes back in the end, if this wish is put there now. What was put there first and never seen there was not ours: what
/// is there instead may be somebody's by now.
pub(super) fn former(old: Option<&Owned>, member: Member, live: Option<&Value>, forms: &Forms) -> Option<Value> {
    let never_ours = |old: &&Owned| {
        let first = old.unseen.as_ref().is_some_and(|before| before.value == old.former);
        first && !same(member, live, old.applied.as_ref(), forms)
    };
    match old.filter(|old| !never_ours(old)) {
        Some(old) => old.former.clone(),
        None => live.cloned(),
    }
}

/// Null is a value that was there, and not the same as none.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(deserializer)?;
    let known = version == VERSION;
    known.then_some(version).ok_or_else(|| serde::de::Error::custom(format!("unknown version {version}")))
}

mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Owned, Path};

    pub(super) fn serialize<S: Serializer>(owned: &BTreeMap<Path, Owned>, serializer: S) -> Result<S::Ok, S::Error> {
        owned.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Path, Owned>, D::Error> {
        Vec::<(Path, Owned)>::deserialize(deserializer).map(|owned| owned.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_memory_survives_its_json_and_tells_null_from_absent() {
        let subject = Subject::Rule { rule: "R".into() };
        let kept = |former| Owned {
            former,
            applied: Some(json!(["a"])),
            wish: "w".into(),
            unseen: Some(Before { value: None, left: true }),
        };
        let owned = BTreeMap::from([
            (subject.path(Member::ContainerFilter), kept(None)),
            (subject.path(Member::GroupFilter), kept(Some(Value::Null))),
        ]);
        let memory = Memory { owned, forms: BTreeMap::from([("a".into(), json!({}))]), ..Memory::default() };
        assert_eq!(serde_json::from_value::<Memory>(json!(memory)).unwrap(), memory);
    }

    #[test]
    fn what_was_there_before_is_ours_until_the_save_is_certain() {
        let path = Subject::Rule { rule: "R".into() }.path(Member::GroupFilter);
        let unseen = Some(Before { value: Some(json!(["before"])), left: false });
        let owned = Owned { former: None, applied: Some(json!(["a"])), wish: "w".into(), unseen };
        let memory = Memory { owned: BTreeMap::from([(path.clone(), owned)]), ..Memory::default() };
        let forms = Forms::new(&crate::overlay::Expressions::default(), &BTreeMap::new());
        let ours = |memory: &Memory, live: &str| memory.owned[&path].ours(path.member, Some(&json!([live])), &forms);
        assert!(ours(&memory, "a") && ours(&memory, "before") && !ours(&memory, "other"));
        let memory = memory.accepted();
        assert!(ours(&memory, "a") && !ours(&memory, "before"));
    }

    #[test]
    fn a_save_is_shown_by_a_value_that_was_not_so_before() {
        let path = Subject::Rule { rule: "R".into() }.path(Member::GroupFilter);
        let shown = |before: &str, live: &str| {
            let unseen = Some(Before { value: Some(json!([before])), left: false });
            let owned = Owned { former: None, applied: Some(json!(["a"])), wish: "w".into(), unseen };
            let memory = Memory { owned: BTreeMap::from([(path.clone(), owned)]), ..Memory::default() };
            let filter = json!({"includedGroups": [live]});
            let schema = json!({"synchronizationRules": [{"name": "R", "groupFilter": filter}]});
            memory.is_shown(&schema, &Expressions::default())
        };
        assert!(shown("before", "a"));
        assert!(!shown("before", "before") && !shown("before", "other") && !shown("a", "a"));
    }

    #[test]
    fn a_memory_of_another_version_is_not_read() {
        let error = serde_json::from_value::<Memory>(json!({"version": 2, "owned": []})).unwrap_err();
        assert_eq!(error.to_string(), "unknown version 2");
    }
}
