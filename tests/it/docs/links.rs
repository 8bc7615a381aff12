//! Links lead somewhere, and the table of contents is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

use super::{markdown, pages, read, repository, split};

/// How a page of the book links to a file beside it: the book is read without the repository.
const REPOSITORY: &str = "https://github.com/entrain-dev/entrain/blob/main/";

fn links(prose: &str) -> Vec<String> {
    let inline_code = Regex::new("`[^`]*`").unwrap();
    let link = Regex::new(r"\]\(([^)\s]*)\)").unwrap();
    link.captures_iter(&inline_code.replace_all(prose, "code")).map(|found| found[1].to_owned()).collect()
}

/// Anchors of headings as GitHub and mdBook make them, and those that are written by hand.
fn anchors(text: &str) -> BTreeSet<String> {
    let (prose, _) = split(text);
    let (mut seen, mut anchors) = (BTreeMap::<String, u32>::new(), BTreeSet::new());
    for line in prose.lines() {
        let title = line.trim_start_matches('#');
        if title.len() < line.len() && title.starts_with(' ') {
            let slug = title.trim().to_lowercase();
            let slug: String = slug.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect();
            let slug = slug.replace(' ', "-");
            let before = seen.entry(slug.clone()).or_default();
            anchors.insert(if *before == 0 { slug } else { format!("{slug}-{before}") });
            *before += 1;
        }
    }
    let by_hand = Regex::new("<a id=\"([^\"]*)\">").unwrap();
    anchors.extend(by_hand.captures_iter(&prose).map(|found| found[1].to_owned()));
    anchors
}

/// What is wrong with a link, if anything.
fn broken(page: &Path, link: &str) -> Option<String> {
    let root = repository();
    let (target, anchor) = link.split_once('#').map_or((link, None), |(target, anchor)| (target, Some(anchor)));
    let path = match target.strip_prefix(REPOSITORY) {
        Some(below) => root.join(below),
        None if target.contains("://") => return None,
        None if target.is_empty() => page.to_path_buf(),
        None => page.parent().unwrap().join(target),
    };
    if !path.exists() {
        return Some("leads nowhere".to_owned());
    }
    let within = |path: &Path| path.canonicalize().unwrap().starts_with(root.join("docs"));
    if within(page) && !within(&path) && !target.starts_with(REPOSITORY) {
        return Some(format!("leads out of the book; begin it with {REPOSITORY}"));
    }
    let missing = anchor.filter(|anchor| !anchors(&read(&path)).contains(*anchor))?;
    Some(format!("has no anchor {missing}"))
}

#[test]
fn every_link_leads_somewhere() {
    let (mut count, mut wrong) = (0, Vec::new());
    for page in pages() {
        for link in links(&split(&read(&page)).0) {
            count += 1;
            wrong.extend(broken(&page, &link).map(|why| format!("{}: {link} {why}", page.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn a_broken_link_is_found() {
    let page = repository().join("docs/introduction.md");
    for link in ["nowhere.md", "glossary.md#nothing", "../README.md", &format!("{REPOSITORY}nothing.md")] {
        assert!(broken(&page, link).is_some(), "{link}");
    }
    assert_eq!(links("[a](b.md#c) `[d](e)`"), ["b.md#c"]);
}

#[test]
fn the_table_of_contents_lists_every_page_once() {
    let docs = repository().join("docs");
    let summary = docs.join("SUMMARY.md");
    let mut listed: Vec<PathBuf> = links(&read(&summary)).iter().map(|link| docs.join(link)).collect();
    listed.sort();
    // Transcripts are parts of pages.
    let apart = |page: &PathBuf| *page == summary || page.starts_with(docs.join("transcripts"));
    let mut there: Vec<PathBuf> = markdown(&docs).into_iter().filter(|page| !apart(page)).collect();
    there.sort();
    assert_eq!(listed, there);
}
