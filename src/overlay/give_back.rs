//! Giving back what is owned no longer: what was there comes back, unless somebody changed it meanwhile.

use serde_json::Value;

use super::document::{find, items, text};
use super::expression::text_of;
use super::line::Line;
use super::meaning::{same, same_definition, same_whole};
use super::memory::Owned;
use super::names::folds;
use super::path::{Member, Path, Subject};
use super::work::Work;

/// What was owned and is so no longer.
pub(super) type Released<'a> = (&'a Path, &'a Owned);

/// Gives back these values, except added attributes. Members come first: what a removed mapping was depends on them. A mapping
/// that was added goes whole or stays whole.
pub(super) fn values(work: &mut Work<'_>, paths: &[Released<'_>]) {
    let is_existence = |(path, _): &&Released<'_>| path.member == Member::Existence;
    let (existences, members): (Vec<&Released<'_>>, Vec<_>) = paths.iter().partition(is_existence);
    let goes =
        |subject: &Subject| existences.iter().any(|(path, owned)| path.subject == *subject && owned.applied.is_some());
    members.iter().filter(|(path, _)| !goes(&path.subject)).for_each(|(path, owned)| member(work, path, owned));
    for (path, owned) in &existences {
        let of_it = members.iter().filter(|(member, _)| member.subject == path.subject);
        match (&path.subject, &owned.applied) {
            (Subject::Definition { .. }, _) => {}
            (_, Some(applied)) => added(work, path, applied, &of_it.copied().copied().collect::<Vec<_>>()),
            (_, None) => removed(work, path, owned),
        }
    }
}

fn member(work: &mut Work<'_>, path: &Path, owned: &Owned) {
    let Some(whole) = find(&work.document, &path.subject) else {
        work.left.push(Line::of(&path.subject, path.member, owned.applied.as_ref(), None));
        return;
    };
    let live = super::document::member(whole, path.member);
    if same(path.member, live, owned.former.as_ref(), work.forms) {
        return;
    }
    if !owned.ours(path.member, live, work.forms) {
        let changed = Line::of(&path.subject, path.member, owned.applied.as_ref(), live);
        return work.left.push(changed);
    }
    back(work, path, owned.former.clone());
}

fn back(work: &mut Work<'_>, path: &Path, former: Option<Value>) {
    work.wished |= work.write(path, former);
}

/// A mapping that was added goes, if it is as it was added and as its members were applied.
fn added(work: &mut Work<'_>, path: &Path, applied: &Value, members: &[Released<'_>]) {
    let Some(live) = find(&work.document, &path.subject) else { return };
    let mut expected = applied.clone();
    for (of, owned) in members {
        let found = super::document::member(live, of.member);
        let value = if owned.ours(of.member, found, work.forms) { found } else { owned.applied.as_ref() };
        if let ([name], Some(expected)) = (of.member.names(), expected.as_object_mut()) {
            expected.insert((*name).to_owned(), value.cloned().unwrap_or_default());
        }
    }
    if same_whole(path.subject.members(), live, &expected, work.forms) {
        return back(work, path, None);
    }
    let changed = Line::between(&path.subject, Some(&expected), Some(live), work.forms);
    let changed = changed.unwrap_or_else(|| Line::of(&path.subject, Member::Existence, Some(applied), Some(live)));
    work.left.push(changed);
}

/// A mapping that was removed comes back, if there is none.
fn removed(work: &mut Work<'_>, path: &Path, owned: &Owned) {
    let Some(former) = &owned.former else { return };
    match find(&work.document, &path.subject) {
        None => back(work, path, Some(former.clone())),
        Some(live) if same_whole(path.subject.members(), live, former, work.forms) => {}
        Some(live) => {
            let changed = Line::of(&path.subject, Member::Existence, None, Some(live));
            work.left.push(changed);
        }
    }
}

/// Takes added attributes away that nothing uses; one that is used stays owned, and is looked at again. To be done last.
pub(super) fn definitions(work: &mut Work<'_>, paths: &[Released<'_>]) {
    for (path, owned) in paths.iter().filter(|(path, _)| matches!(path.subject, Subject::Definition { .. })) {
        let Some(live) = find(&work.document, &path.subject) else { continue };
        let as_added = owned.applied.as_ref().is_some_and(|applied| same_definition(live, applied));
        let used = is_used(&work.document, &path.subject);
        match (as_added, used) {
            (true, false) => back(work, path, None),
            (true, true) => work.carry((*path).clone(), owned),
            (false, _) => {
                let changed = Line::of(&path.subject, Member::Existence, owned.applied.as_ref(), Some(live));
                work.left.push(changed);
            }
        }
    }
}

/// Whether any mapping or filter names an attribute of a directory.
fn is_used(schema: &Value, definition: &Subject) -> bool {
    let Subject::Definition { directory, object, attribute } = definition else { return false };
    let written = format!("[{attribute}]");
    super::document::rules(schema).any(|rule| {
        let (as_source, as_target) =
            (text(rule, "sourceDirectoryName") == directory, text(rule, "targetDirectoryName") == directory);
        items(rule, "objectMappings").any(|objects| {
            let source = as_source && folds(text(objects, "sourceObjectName"), object);
            let target = as_target && folds(text(objects, "targetObjectName"), object);
            let maps = |entry: &Value| {
                let reads = || text_of(entry.get("source")).is_some_and(|text| text.contains(&written));
                target && text(entry, "targetAttributeName") == attribute || source && reads()
            };
            items(objects, "attributeMappings").any(maps) || source && filters_by(objects, attribute)
        })
    })
}

fn filters_by(objects: &Value, attribute: &str) -> bool {
    let lists = ["groups", "categoryFilterGroups", "inputFilterGroups"];
    let groups =
        objects.get("scope").into_iter().flat_map(|scope| lists.into_iter().flat_map(|list| items(scope, list)));
    groups.flat_map(|group| items(group, "clauses")).any(|clause| text(clause, "sourceOperandName") == attribute)
}
