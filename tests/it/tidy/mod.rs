//! The shape of the code, checked by reading it: which folder may know which, that no files need each other in a circle,
//! and that files and functions stay small.

mod circles;
mod layers;
mod libraries;
mod source;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

use self::source::{File, Names};

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

fn product() -> BTreeMap<File, Names> {
    source::crate_in("src", "entrain", &source::libraries("Cargo.toml"))
}

fn bed() -> BTreeMap<File, Names> {
    source::crate_in("tests/bed/src", "bed", &source::libraries("tests/bed/Cargo.toml"))
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

/// A command has the type that only asks, and never the client that can write.
#[test]
fn the_commands_without_a_cluster_cannot_write() {
    let all = product();
    let commands = all.iter().filter(|(file, _)| file.starts_with("src/cli/"));
    let named = |wanted: &str| commands.clone().filter(|(_, names)| names.uses.contains(wanted)).count();
    assert_eq!((named("src/graph/client.rs"), named("src/graph/reader.rs") > 0), (0, true));
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

/// From the word `fn` to the closing brace; unit tests count too.
#[derive(Default)]
struct Functions(Vec<(String, usize)>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (start, end) = (signature.fn_token.span.start().line, block.brace_token.span.close().end().line);
        self.0.push((signature.ident.to_string(), end - start + 1));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn functions(text: &str) -> Vec<(String, usize)> {
    let mut functions = Functions::default();
    functions.visit_file(&syn::parse_file(text).unwrap());
    functions.0
}

fn long_functions(name: &str, text: &str) -> Vec<String> {
    let long = functions(text).into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
    long.map(|(function, lines)| format!("{name}: {lines} lines in `{function}`")).collect()
}

#[test]
fn the_lines_of_a_function_are_counted() {
    let text = "impl A {\n    fn a(\n        &self,\n    ) {\n        fn b() {}\n    }\n}\n";
    assert_eq!(functions(text), [("a".to_owned(), 5), ("b".to_owned(), 1)]);
}
