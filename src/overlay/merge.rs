//! Merging a wish into a schema.

use std::collections::BTreeMap;

use serde_json::Value;

use super::apply::apply;
use super::expression::{Expressions, Forms, local};
use super::finding::Finding;
use super::give_back::{self, Released};
use super::memory::{Memory, Owned};
use super::merged::{Drift, Merged, Overlay};
use super::path::{Member, Path, Subject};
use super::resolve::{Against, resolve};
use super::wanted::Group;
use super::work::Work;
use crate::api::sync_job::OnRelease;

/// Merges a wish into a schema, whole or not at all; an empty wish gives everything back. `known` must have what [`super::expressions`] asks for.
pub fn merge(overlay: &Overlay<'_>, live: &Value, known: &Expressions) -> Result<Merged, Vec<Finding>> {
    let nothing = Memory::default();
    let memory = overlay.memory.unwrap_or(&nothing);
    let forms = Forms::new(known, &memory.forms);
    let respects = overlay.drift == Drift::Respect;
    let against = Against { live, memory, known, forms: &forms, everyone: overlay.everyone, respects };
    let (groups, findings) = resolve(overlay.wish, against);
    if !findings.0.is_empty() {
        return Err(findings.0);
    }
    let mut work = Work::new(live, memory, &forms);
    let released = released(memory, &groups);
    let restores = overlay.wish.on_release != Some(OnRelease::Keep);
    if restores {
        give_back::values(&mut work, &released);
    }
    for group in &groups {
        apply(&mut work, group, overlay.drift);
    }
    if restores {
        give_back::definitions(&mut work, &released);
    }
    work.memory.forms = normal_forms(&groups);
    Ok(work.finish())
}

/// What was owned and is so no longer.
fn released<'a>(memory: &'a Memory, groups: &[Group]) -> Vec<Released<'a>> {
    let by_subject: BTreeMap<&Subject, &Group> = groups.iter().map(|group| (&group.subject, group)).collect();
    let holds =
        |path: &Path, owned: &Owned| by_subject.get(&path.subject).is_some_and(|group| group.holds(path, &owned.wish));
    memory.owned.iter().filter(|(path, owned)| !holds(path, owned)).collect()
}

/// The service's normal form of each expression that it had to parse.
fn normal_forms(groups: &[Group]) -> BTreeMap<String, Value> {
    let wants = groups.iter().flat_map(|group| &group.values).filter(|want| want.member == Member::Source);
    let parsed = wants.filter(|want| local(&want.wish).is_none());
    parsed.filter_map(|want| Some((want.wish.clone(), want.value.clone()?))).collect()
}
