//! Putting a wish into the document, three ways: what was applied, what is there, what is wanted.

use serde_json::{Value, json};

use super::document::find;
use super::line::Line;
use super::meaning::{same, same_definition};
use super::memory::{Owned, former};
use super::merged::Drift;
use super::path::{Member, Path, Subject};
use super::wanted::{Existence, Group, Want};
use super::work::Work;

/// Whether a subject is there to be written to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    Already,
    /// It was added just now, so that its values are defaults and nobody's.
    Added,
    No,
}

/// Applies one group. What was owned in the other direction must have been given back before.
pub(super) fn apply(work: &mut Work<'_>, group: &Group, drift: Drift) {
    let there = match &group.existence {
        None => There::Already,
        Some(Existence::Absent) => return remove(work, &group.subject, drift),
        Some(Existence::Present(fresh)) => ensure(work, group, fresh, drift),
    };
    if there != There::No {
        group.values.iter().for_each(|want| value(work, &group.subject, want, there == There::Added, drift));
    }
}

fn value(work: &mut Work<'_>, subject: &Subject, want: &Want, added: bool, drift: Drift) {
    let path = subject.path(want.member);
    let live = work.value(&path).cloned();
    let old = work.old.owned.get(&path);
    let former = former(old, want.member, live.as_ref(), work.forms);
    let owned = Owned { former, applied: want.value.clone(), wish: want.wish.clone(), unseen: None };
    if same(want.member, live.as_ref(), want.value.as_ref(), work.forms) {
        return work.keep(path, &owned);
    }
    let theirs = |old: &&Owned| old.wish == want.wish && !old.ours(want.member, live.as_ref(), work.forms);
    if let Some(old) = old.filter(theirs).filter(|_| !added) {
        work.drifted.push(Line::of(subject, want.member, old.applied.as_ref(), live.as_ref()));
        if drift == Drift::Respect {
            return work.carry(path, old);
        }
    } else {
        work.wished |= !added;
    }
    work.write(&path, want.value.clone());
    work.own(path, owned, live);
}

/// Sees to it that a subject is there.
fn ensure(work: &mut Work<'_>, group: &Group, fresh: &Value, drift: Drift) -> There {
    let path = group.subject.path(Member::Existence);
    let old = work.old.owned.get(&path).filter(|owned| owned.wish == PRESENT);
    if let Some(live) = find(&work.document, &group.subject).cloned() {
        match (&group.subject, old) {
            (Subject::Definition { .. }, Some(old)) => definition(work, path, old, &live, fresh, drift),
            (_, Some(old)) => work.keep(path, old),
            (_, None) => {}
        }
        return There::Already;
    }
    // Of a mapping that somebody removed, nothing can be put back without a source.
    let is_bare = matches!(group.subject, Subject::Attribute { .. })
        && !group.values.iter().any(|want| want.member == Member::Source);
    if is_bare || removed_by_others(work, group, old) {
        let applied = old.and_then(|owned| owned.applied.clone()).or_else(|| last_form(work, &group.subject));
        work.drifted.push(Line::of(&group.subject, Member::Existence, applied.as_ref(), None));
        if is_bare || drift == Drift::Respect {
            carry_all(work, group);
            return There::No;
        }
    } else {
        work.wished = true;
    }
    if !work.write(&path, Some(fresh.clone())) {
        return There::No;
    }
    let owned = Owned { former: None, applied: Some(fresh.clone()), wish: PRESENT.to_owned(), unseen: None };
    work.own(path, owned, None);
    There::Added
}

const PRESENT: &str = "Present";

/// Whether a subject that is missing was there when the same wish was applied.
fn removed_by_others(work: &Work<'_>, group: &Group, old: Option<&Owned>) -> bool {
    let of = |want: &Want| work.old.get(&group.subject, want.member);
    let same_wish = group.values.iter().all(|want| of(want).is_some_and(|owned| owned.wish == want.wish));
    let saved = old.is_none_or(|owned| owned.doubt().is_none());
    (old.is_some() || !group.values.is_empty()) && same_wish && saved
}

/// An attribute mapping as far as its source is remembered.
fn last_form(work: &Work<'_>, subject: &Subject) -> Option<Value> {
    let source = work.old.get(subject, Member::Source)?.applied.clone();
    Some(json!({"source": source}))
}

fn carry_all(work: &mut Work<'_>, group: &Group) {
    let members = group.values.iter().map(|want| want.member).chain([Member::Existence]);
    for path in members.map(|member| group.subject.path(member)) {
        if let Some(owned) = work.old.owned.get(&path) {
            work.carry(path, owned);
        }
    }
}

/// An attribute that this SyncJob added, and that is another one now or must become one.
fn definition(work: &mut Work<'_>, path: Path, old: &Owned, live: &Value, fresh: &Value, drift: Drift) {
    let is = |other: &Value| same_definition(live, other);
    let owned = Owned { applied: Some(fresh.clone()), ..old.clone() };
    if is(fresh) {
        return work.keep(path, &owned);
    }
    let applied = old.applied.as_ref();
    let same_wish = applied.is_some_and(|applied| same_definition(applied, fresh));
    let unsaved = old.doubt().and_then(|before| before.value.as_ref()).is_some_and(is);
    if same_wish && !unsaved {
        work.drifted.push(Line::of(&path.subject, Member::Existence, applied, Some(live)));
        if drift == Drift::Respect {
            return work.carry(path, old);
        }
    } else {
        work.wished = true;
    }
    work.write(&path, None);
    work.write(&path, Some(fresh.clone()));
    work.own(path, owned, Some(live.clone()));
}

/// Sees to it that an attribute mapping is not there.
fn remove(work: &mut Work<'_>, subject: &Subject, drift: Drift) {
    let path = subject.path(Member::Existence);
    let live = find(&work.document, subject).cloned();
    let old = work.old.owned.get(&path).filter(|owned| owned.wish == Existence::Absent.wish());
    let former = former(old, Member::Existence, live.as_ref(), work.forms);
    let owned = Owned { former, applied: None, wish: Existence::Absent.wish().to_owned(), unseen: None };
    let Some(live) = live else { return work.keep(path, &owned) };
    if let Some(old) = old.filter(|owned| owned.doubt().is_none()) {
        work.drifted.push(Line::of(subject, Member::Existence, None, Some(&live)));
        if drift == Drift::Respect {
            return work.carry(path, old);
        }
    } else {
        work.wished = true;
    }
    work.write(&path, None);
    work.own(path, owned, Some(live));
}
