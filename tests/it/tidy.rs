//! The shape of the code, checked by reading it: which layer may know which, and that files and functions stay small.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!files.is_empty(), "{} holds no Rust files", dir.display());
    files.sort();
    files
}

/// The code of a file: without comments and without its unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every word of `forbidden` that the code of a layer holds.
fn offences(layer: &str, forbidden: &[&str]) -> Vec<String> {
    rust_files(&root().join(layer))
        .iter()
        .flat_map(|(name, text)| {
            let code = code(text);
            forbidden
                .iter()
                .filter(move |word| code.contains(**word))
                .map(move |word| format!("{name} holds `{word}`"))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn imports_point_one_way() {
    let rules: &[(&str, &[&str])] = &[
        ("src/api", &["crate::plan", "crate::graph", "crate::cluster", "crate::reconcile", "crate::args"]),
        ("src/plan", &["crate::graph", "crate::cluster", "crate::reconcile", "crate::args"]),
        (
            "src/graph",
            &["crate::api", "crate::plan", "crate::cluster", "crate::reconcile", "crate::args", "SyncJob", "kube::"],
        ),
        ("src/cluster", &["crate::plan", "crate::graph", "crate::reconcile", "crate::args", "reqwest", "azure_"]),
        ("src/reconcile", &["crate::args", "crate::operator", "crate::cli", "reqwest", "azure_"]),
        ("src/cli", &["crate::cluster", "crate::operator", "kube::", "reqwest", "azure_"]),
    ];
    let offences: Vec<String> = rules.iter().flat_map(|(layer, forbidden)| offences(layer, forbidden)).collect();
    assert_eq!(offences, Vec::<String>::new());
}

#[test]
fn the_plan_is_pure() {
    let impure = [
        "async ",
        ".await",
        "tokio",
        "reqwest",
        "kube::Client",
        "Instant",
        "SystemTime",
        "Timestamp::now",
        "rand",
        "new_v4",
        "std::env",
        "std::fs",
        "std::net",
        "Secret",
        "thread",
    ];
    assert_eq!(offences("src/plan", &impure), Vec::<String>::new());
}

#[test]
fn no_layer_sleeps_and_none_decides_beside_the_plan() {
    for layer in ["src/graph", "src/cluster", "src/reconcile"] {
        assert_eq!(offences(layer, &["sleep(", "sleep_until("]), Vec::<String>::new());
    }
    assert_eq!(offences("src/graph", &["Reason::", "Standing::", "Step::"]), Vec::<String>::new());
}

#[test]
fn the_commands_without_a_cluster_only_read() {
    let writes =
        ["create_job", "start_job", "pause_job", "restart_job", "delete_job", "Verdict::take", "Verdict::stop"];
    assert_eq!(offences("src/cli", &writes), Vec::<String>::new());
}

#[test]
fn product_and_simulator_do_not_know_each_other() {
    assert_eq!(offences("src", &["bed::", "simulator"]), Vec::<String>::new());
    assert_eq!(offences("tests/bed/src", &["entrain::", "use entrain"]), Vec::<String>::new());
    let manifest = fs::read_to_string(root().join("tests/bed/Cargo.toml")).unwrap();
    assert!(!manifest.contains("entrain ="), "the development crate must not depend on the product");
}

#[test]
fn files_and_functions_are_small_and_say_what_they_are_for() {
    let mut offences = Vec::new();
    for (name, text) in ["src", "tests"].iter().flat_map(|dir| rust_files(&root().join(dir))) {
        if text.lines().count() > FILE_LINES_MAX {
            offences.push(format!("{name} has {} lines", text.lines().count()));
        }
        if !text.starts_with("//!") {
            offences.push(format!("{name} does not begin by saying what it is for"));
        }
        offences.extend(long_functions(&name, &text));
    }
    assert_eq!(offences, Vec::<String>::new());
}

/// rustfmt closes a function by a brace in the column in which its `fn` line begins.
fn long_functions(name: &str, text: &str) -> Vec<String> {
    let mut open: Vec<(usize, usize, String)> = Vec::new();
    let mut long = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let begins = line.trim_start().split('(').next().is_some_and(|head| head.split(' ').any(|word| word == "fn"));
        if begins && !line.trim_start().starts_with("//") && !line.trim_end().ends_with(['}', ';']) {
            open.push((indent, number, line.trim().to_owned()));
        }
        if line.trim_end() == format!("{}}}", " ".repeat(indent))
            && open.last().is_some_and(|(start, _, _)| *start == indent)
            && let Some((_, start, head)) = open.pop()
            && number - start + 1 > FUNCTION_LINES_MAX
        {
            long.push(format!("{name}: {} lines in `{head}`", number - start + 1));
        }
    }
    long
}
