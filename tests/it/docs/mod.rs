//! The book: its generated pages are fresh, its links lead somewhere, its manifests are accepted by a real API server.

mod backup;
mod credentials;
mod links;
mod manifests;
mod mappings;
mod pages;
mod permissions;
mod reference;

use std::path::{Path, PathBuf};

use super::stack::plane::repository;

/// Every Markdown file below a directory, sorted.
fn markdown(dir: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().map(Result::unwrap);
    let pages =
        entries.map(walkdir::DirEntry::into_path).filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.collect()
}

/// The book and the pages outside it that people read first.
fn pages() -> Vec<PathBuf> {
    let root = repository();
    let outside = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "argocd/README.md"];
    let outside = outside.into_iter().chain(["charts/entrain/README.md", "tests/bed/README.md"]);
    let mut pages = markdown(&root.join("docs"));
    assert!(pages.len() > 10, "{pages:?}");
    pages.extend(outside.map(|page| root.join(page)));
    pages
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Splits a page into its prose and the bodies of its fenced blocks, each with its language.
fn split(text: &str) -> (String, Vec<(String, String)>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(language), None) => open = Some((language.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, body))) => body.extend([line, "\n"]),
            (None, None) => prose.extend([line, "\n"]),
        }
    }
    assert!(open.is_none(), "a block does not end");
    (prose, blocks)
}
