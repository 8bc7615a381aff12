//! Finding what a name of the wish means: the exact name, else the only one that differs in case. A name that means several
//! things means none.

use std::collections::BTreeMap;

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
    let (mut exactly, others): (Vec<T>, Vec<T>) = all.into_iter().partition(exact);
    if exactly.is_empty() {
        exactly = others.into_iter().filter(folded).collect();
    }
    match (exactly.pop(), exactly.is_empty()) {
        (None, _) => Hit::None,
        (Some(only), true) => Hit::One(only),
        (Some(last), false) => {
            exactly.push(last);
            Hit::Several(exactly)
        }
    }
}

/// Whether two names differ at most in case.
pub(super) fn folds(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Many names, indexed.
#[derive(Default)]
pub(super) struct Names<'a>(BTreeMap<String, Vec<&'a str>>);

impl<'a> Names<'a> {
    pub(super) fn of(names: impl Iterator<Item = &'a str>) -> Self {
        let mut folded: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for name in names.filter(|name| !name.is_empty()) {
            folded.entry(name.to_lowercase()).or_default().push(name);
        }
        Self(folded)
    }

    pub(super) fn find(&self, name: &str) -> Hit<&'a str> {
        let all = self.0.get(&name.to_lowercase()).cloned().unwrap_or_default();
        pick(all, |found| *found == name, |_| true)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(&name.to_lowercase())
    }

    /// All of them, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a str> {
        self.0.values().flatten().copied()
    }

    /// A sentence with the names that are most like this one.
    pub(super) fn nearest(&self, name: &str) -> String {
        nearest(name, self.all())
    }
}

/// A sentence with the names that are most like this one; empty if none is.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let far = name.chars().count() / 2 + 1;
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
        let names = Names::of(["mail", "Mail", "userName", "title", "title", ""].into_iter());
        assert_eq!(names.find("Mail"), Hit::One("Mail"));
        assert_eq!(names.find("MAIL"), Hit::Several(vec!["mail", "Mail"]));
        assert_eq!(names.find("USERNAME"), Hit::One("userName"));
        assert_eq!(names.find("title"), Hit::Several(vec!["title", "title"]));
        assert_eq!((names.find("titles"), names.find("")), (Hit::None, Hit::None));
    }

    #[test]
    fn the_nearest_names_come_first_and_far_ones_not_at_all() {
        let names = ["userName", "userType", "active", "surname"];
        assert_eq!(nearest("usrName", names.into_iter()), " The nearest: 'userName', 'surname'.");
        assert_eq!(nearest("x", names.into_iter()), "");
    }
}
