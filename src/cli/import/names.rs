//! Names of the SyncJobs: from the display name of the service principal, and with more where that is not enough.

use std::collections::{HashMap, HashSet};

/// The longest name that a SyncJob may have.
const NAME_CHARS_MAX: usize = 63;
/// How much of a GUID distinguishes it from others.
const ID_CHARS: usize = 8;
const NUMBERED: usize = 3;

/// What a name is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub display_name: Option<&'a str>,
    pub template: &'a str,
    pub service_principal: &'a str,
}

/// A name for each, all different: the display name; where several have it, with the template; then with the beginning of the
/// service principal's id; then with a number.
pub(super) fn names(all: &[Parts<'_>]) -> Vec<String> {
    let mut lengths = vec![0; all.len()];
    for _ in 0..NUMBERED {
        let mut count: HashMap<String, usize> = HashMap::new();
        let names: Vec<String> = all.iter().zip(&lengths).map(|(parts, length)| name(parts, *length)).collect();
        for name in &names {
            *count.entry(name.clone()).or_default() += 1;
        }
        for (length, name) in lengths.iter_mut().zip(&names) {
            *length = (*length + usize::from(count[name] > 1)).min(NUMBERED - 1);
        }
    }
    let mut taken = HashSet::new();
    all.iter().zip(lengths).map(|(parts, length)| free(&name(parts, length), &mut taken)).collect()
}

fn name(parts: &Parts<'_>, length: usize) -> String {
    let template = slug::slugify(parts.template);
    let base = parts.display_name.map(slug::slugify).filter(|base| !base.is_empty());
    let base = base.unwrap_or_else(|| template.clone());
    let id: String = parts.service_principal.chars().take(ID_CHARS).collect();
    match length {
        0 => joined(&base, ""),
        1 => joined(&base, &format!("-{template}")),
        _ => joined(&base, &format!("-{template}-{}", id.to_ascii_lowercase())),
    }
}

/// The end distinguishes, so that it is the beginning that is cut.
fn joined(base: &str, end: &str) -> String {
    let end = &end[end.len().saturating_sub(NAME_CHARS_MAX / 2)..];
    let base = &base[..base.len().min(NAME_CHARS_MAX - end.len())];
    format!("{}{end}", base.trim_end_matches('-')).trim_matches('-').to_owned()
}

fn free(name: &str, taken: &mut HashSet<String>) -> String {
    let mut free = name.to_owned();
    let mut number = 2_usize;
    while !taken.insert(free.clone()) {
        free = joined(name, &format!("-{number}"));
        number += 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(all: &[(&'static str, &'static str, &'static str)]) -> Vec<String> {
        let parts = |&(name, template, service_principal): &(&'static str, &'static str, &'static str)| Parts {
            display_name: Some(name).filter(|name| !name.is_empty()),
            template,
            service_principal,
        };
        names(&all.iter().map(parts).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_has_no_more_parts_than_it_needs() {
        assert_eq!(of(&[("Box", "BoxOutDelta", "1"), ("Wiki (SCIM)", "scim", "2")]), ["box", "wiki-scim"]);
        assert_eq!(of(&[("Box", "BoxOutDelta", "1"), ("Box", "scim", "1")]), ["box-boxoutdelta", "box-scim"]);
        assert_eq!(
            of(&[("Box", "scim", "11111111-2"), ("box", "scim", "22222222-2")]),
            ["box-scim-11111111", "box-scim-22222222"]
        );
        assert_eq!(of(&[("Box", "scim", "1"), ("Box", "scim", "1")]), ["box-scim-1", "box-scim-1-2"]);
        assert_eq!(of(&[("Größe – Übung", "scim", "1"), ("日本", "scim", "2")])[0], "grosse-ubung");
        assert_eq!(of(&[("", "customappsso", "1"), ("***", "scim", "2")]), ["customappsso", "scim"]);
    }

    #[test]
    fn a_name_that_is_another_ones_longer_name_is_not_taken_twice() {
        let names = of(&[("Box", "scim", "1"), ("Box", "gsuite", "1"), ("Box scim", "aws", "2")]);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 3, "{names:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn names_are_labels_and_differ(all in proptest::collection::vec(("\\PC{0,70}|[ab]", "[a-z][a-zA-Z0-9._-]{0,99}|[ab]", "[0-9a-f-]{8,36}"), 1..12)) {
            let parts: Vec<Parts<'_>> = all.iter().map(|(name, template, id)| Parts {
                display_name: Some(name), template, service_principal: id,
            }).collect();
            let names = names(&parts);
            prop_assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
            for name in names {
                let inner = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
                prop_assert!(inner && !name.starts_with('-') && !name.ends_with('-'), "{}", name);
                prop_assert!(name.len() <= 63, "{}", name);
            }
        }
    }
}
