//! No file of the product needs, directly or through others, a file that needs it.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{File, Names};

/// All files that can be reached from one by at least one step.
fn reached<'a>(files: &'a BTreeMap<File, Names>, from: &str) -> BTreeSet<&'a File> {
    let (mut reached, mut next): (BTreeSet<&File>, Vec<&File>) = (BTreeSet::new(), files[from].uses.iter().collect());
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(&files[file].uses);
        }
    }
    reached
}

fn in_circles(files: &BTreeMap<File, Names>) -> Vec<&str> {
    files.keys().filter(|file| reached(files, file).contains(file)).map(String::as_str).collect()
}

#[test]
fn no_two_files_of_the_product_need_each_other() {
    let files = super::product();
    let found = in_circles(&files);
    for file in &found {
        let through = files[*file].uses.iter().filter(|other| reached(&files, other).contains(&(*file).to_owned()));
        println!("{file} -> {:?}", through.collect::<Vec<_>>());
    }
    assert_eq!(found, Vec::<&str>::new());
}

#[test]
fn a_circle_is_found() {
    let names =
        |uses: &[&str]| Names { uses: uses.iter().map(|file| (*file).to_owned()).collect(), ..Names::default() };
    let files = [("a", names(&["b"])), ("b", names(&["c"])), ("c", names(&["b"]))];
    assert_eq!(in_circles(&files.map(|(file, names)| (file.to_owned(), names)).into()), ["b", "c"]);
}
