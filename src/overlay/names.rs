//! Finding what a name of the wish means: the exact name, else the only one that differs in case. A name that means several
//! things means none.

use std::collections::BTreeMap;

use serde_json::Value;

/// How many near names a message lists.
const NEAREST_MAX: usize = 3;

/// What a name means among others.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hit<T> {
    One(T),
    None,
    Several(Vec<T>),
}

/// Looks through a few things with names.
pub(super) fn pick<T>(all: Vec<T>, exact: impl Fn(&T) -> bool, folded: impl Fn(&T) -> bool) -> Hit<T> {
    let (exactly, others): (Vec<T>, Vec<T>) = all.into_iter().partition(exact);
    let mut found = if exactly.is_empty() { others.into_iter().filter(folded).collect() } else { exactly };
    match found.len() {
        0 | 1 => found.pop().map_or(Hit::None, Hit::One),
        _ => Hit::Several(found),
    }
}

/// Whether two names differ at most in case.
pub(super) fn folds(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// The items of a list by their names. Those without a name are not found by any.
#[derive(Default)]
pub(super) struct Names<'a>(BTreeMap<String, Vec<(&'a str, &'a Value)>>);

impl<'a> Names<'a> {
    pub(super) fn of(items: impl Iterator<Item = (&'a str, &'a Value)>) -> Self {
        let mut folded: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (name, item) in items.filter(|(name, _)| !name.is_empty()) {
            folded.entry(name.to_lowercase()).or_default().push((name, item));
        }
        Self(folded)
    }

    pub(super) fn find(&self, name: &str) -> Hit<(&'a str, &'a Value)> {
        let all = self.0.get(&name.to_lowercase()).cloned().unwrap_or_default();
        pick(all, |(found, _)| *found == name, |_| true)
    }

    /// The first item of exactly this name.
    pub(super) fn find_exactly(&self, name: &str) -> Option<&'a Value> {
        let all = self.0.get(&name.to_lowercase())?;
        all.iter().find(|(found, _)| *found == name).map(|(_, item)| *item)
    }

    /// All of them, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.values().flatten().copied()
    }

    /// A sentence with the names that are most like this one.
    pub(super) fn nearest(&self, name: &str) -> String {
        nearest(name, self.all().map(|(name, _)| name))
    }
}

/// A sentence with the names that are most like this one; empty if none is.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let far = name.chars().count() / 2;
    let distance = |other: &str| strsim::osa_distance(&name.to_lowercase(), &other.to_lowercase());
    let mut near: Vec<(usize, &str)> = names.map(|other| (distance(other), other)).collect();
    near.retain(|(distance, _)| *distance <= far);
    near.sort_unstable();
    near.dedup();
    let near: Vec<String> = near.iter().take(NEAREST_MAX).map(|(_, name)| format!("'{name}'")).collect();
    if near.is_empty() { String::new() } else { format!(" The nearest: {}.", near.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_name_counts_more_than_one_that_differs_in_case() {
        let all = ["mail", "Mail", "userName", "title", "title", ""].map(|name| (name, &Value::Null));
        let names = Names::of(all.into_iter());
        let found = |name: &str| match names.find(name) {
            Hit::One((name, _)) => vec![name],
            Hit::None => vec![],
            Hit::Several(all) => all.into_iter().map(|(name, _)| name).collect(),
        };
        assert_eq!(found("Mail"), ["Mail"]);
        assert_eq!(found("MAIL"), ["mail", "Mail"]);
        assert_eq!(found("USERNAME"), ["userName"]);
        assert_eq!(found("title"), ["title", "title"]);
        assert_eq!([found("titles"), found("")], [[""; 0]; 2]);
    }

    #[test]
    fn the_nearest_names_come_first_and_far_ones_not_at_all() {
        let names = ["userName", "userType", "active", "surname"];
        assert_eq!(nearest("userNme", names.into_iter()), " The nearest: 'userName', 'surname', 'userType'.");
        assert_eq!(nearest("x", names.into_iter()), "");
    }
}
