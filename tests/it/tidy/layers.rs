//! What each folder may know: other folders, libraries and capabilities. What is not listed is forbidden, and a folder
//! without a row fails.

use std::collections::{BTreeMap, BTreeSet};

use super::libraries::PRODUCT_LIBRARIES;
use super::source::{File, Names};
use super::tables::{BED_FOLDERS, PRODUCT_FOLDERS, Row};

type Found = BTreeMap<String, BTreeSet<String>>;

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn folders(files: &BTreeMap<File, Names>) -> Found {
    let mut found = Found::new();
    for (file, names) in files {
        let others = names.uses.iter().chain(&names.passes_on).map(|other| folder(other).to_owned());
        found.entry(folder(file).to_owned()).or_default().extend(others.filter(|other| *other != folder(file)));
    }
    found
}

/// Modules of the standard library that reach outside stand among the libraries, and so do `clock`, `chance` and `sleep`.
fn libraries(files: &BTreeMap<File, Names>) -> Found {
    let mut found = Found::new();
    for (file, names) in files {
        let capabilities = names.capabilities.iter().map(|capability| (*capability).to_owned());
        let libraries = names.libraries.iter().cloned().chain(capabilities);
        found.entry(folder(file).to_owned()).or_default().extend(libraries);
    }
    found
}

/// Whether an entry of a row stands for a name.
fn stands_for(entry: &str, name: &str) -> bool {
    entry.strip_suffix('/').map_or(name == entry, |folder| name == folder || name.starts_with(entry))
}

/// Every way in which the folders and their rows do not agree.
fn offences(found: &Found, rows: &[Row]) -> Vec<String> {
    let gone = rows.iter().filter(|(row, _)| !found.contains_key(*row));
    let mut offences: Vec<String> = gone.map(|(row, _)| format!("{row} has a row and is not there")).collect();
    for (folder, names) in found {
        let Some((_, allowed)) = rows.iter().find(|(row, _)| row == folder) else {
            offences.push(format!("{folder} has no row; it names {names:?}"));
            continue;
        };
        let forbidden = names.iter().filter(|name| !allowed.iter().any(|entry| stands_for(entry, name)));
        offences.extend(forbidden.map(|name| format!("{folder} may not name {name}")));
    }
    offences
}

#[test]
fn folders_name_the_folders_that_the_table_allows() {
    assert_eq!(offences(&folders(&super::product()), PRODUCT_FOLDERS), Vec::<String>::new());
    assert_eq!(offences(&folders(&super::bed()), BED_FOLDERS), Vec::<String>::new());
}

#[test]
fn folders_use_the_libraries_and_capabilities_that_the_table_allows() {
    assert_eq!(offences(&libraries(&super::product()), PRODUCT_LIBRARIES), Vec::<String>::new());
}

#[test]
fn what_the_table_does_not_allow_is_an_offence() {
    let found: Found = [("src/a", vec!["src/b", "tokio"]), ("src/c", vec![])]
        .map(|(folder, names)| (folder.to_owned(), names.into_iter().map(str::to_owned).collect()))
        .into();
    let expected = ["src/d has a row and is not there", "src/a may not name tokio", "src/c has no row; it names {}"];
    assert_eq!(offences(&found, &[("src/a", &["src/b"]), ("src/d", &[])]), expected);
    let below = [
        ("src/b/", "src/b", true),
        ("src/b/", "src/b/c", true),
        ("src/b/", "src/bc", false),
        ("src/b", "src/b/c", false),
    ];
    for (entry, name, expected) in below {
        assert_eq!(stands_for(entry, name), expected, "{entry} for {name}");
    }
}
