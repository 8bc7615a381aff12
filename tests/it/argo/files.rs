//! The files that are shipped for Argo CD, and goldens: files that are what the code says, and that `UPDATE=1` writes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where Argo CD's own repository would keep what belongs to SyncJobs.
pub const HOME: &str = "argocd/resource_customizations/entrain.dev/SyncJob";
pub const ACTIONS: &[&str] = &["pause", "reconcile", "restart", "resume"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository.
pub fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn script(name: &str) -> String {
    text(&format!("{HOME}/{name}"))
}

/// The names of the files in a directory.
pub fn names(path: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Whether goldens are to be written instead of compared.
pub fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// A file that has to hold this text. One that does not is written when that is asked for, and named otherwise.
#[must_use]
pub fn stale(path: &str, text: &str) -> Option<String> {
    let full: PathBuf = root().join(path);
    if fs::read_to_string(&full).is_ok_and(|found| found == text) {
        return None;
    }
    if !updating() {
        return Some(path.to_owned());
    }
    fs::create_dir_all(full.parent().unwrap()).unwrap();
    fs::write(&full, text).unwrap();
    None
}

/// Files of a directory that no golden of ours is; removed when goldens are written.
#[must_use]
pub fn left_over(path: &str, wanted: &[String]) -> Vec<String> {
    let surplus = names(path).into_iter().filter(|name| !wanted.contains(name)).map(|name| format!("{path}/{name}"));
    if !updating() {
        return surplus.collect();
    }
    surplus.for_each(|name| fs::remove_file(root().join(name)).unwrap());
    Vec::new()
}

pub fn assert_current(stale: &[String]) {
    assert!(
        stale.is_empty(),
        "stale: {stale:#?}\nWrite them with `UPDATE=1 cargo test --test it -- conditions argo`, and read the diff."
    );
}
