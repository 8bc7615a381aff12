//! The sources of a crate as a graph: which file names what of which other file, which library, and which capability.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::root;

/// Modules of the standard library that reach out of the process or start work in it.
const OUTSIDE: [&str; 6] = ["env", "fs", "io", "net", "process", "thread"];

/// A file, by its path in the repository.
pub type File = String;
/// A path as it is written, one entry a segment.
type Segments = Vec<String>;

/// What one file names.
#[derive(Debug, Default)]
pub struct Names {
    /// Files whose items its code uses.
    pub uses: BTreeSet<File>,
    /// Files whose items it only passes on.
    pub passes_on: BTreeSet<File>,
    /// Libraries, and modules of the standard library in `OUTSIDE`.
    pub libraries: BTreeSet<String>,
    /// `clock`, `chance` and `sleep`.
    pub capabilities: BTreeSet<&'static str>,
}

/// One module, which is one file.
#[derive(Default)]
struct Module {
    file: File,
    children: BTreeSet<String>,
    /// Children that are compiled for tests only, and are left out.
    tests: BTreeSet<String>,
    /// What a name that was imported stands for, and whether it is passed on.
    imports: Vec<(String, Segments, bool)>,
    paths: Vec<Segments>,
    measures_time: bool,
}

/// The crate below `dir`, whose library others know by `name`.
pub fn crate_in(dir: &str, name: &str, libraries: &BTreeSet<String>) -> BTreeMap<File, Names> {
    let mut modules: BTreeMap<Segments, Module> = BTreeMap::new();
    for (file, text) in super::rust_files(&root().join(dir)) {
        let below = Path::new(&file).strip_prefix(dir).unwrap().with_extension("");
        let mut path: Segments = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if path.last().is_some_and(|last| last == "mod") || path == ["lib"] {
            path.pop();
        }
        let mut module = Module { file: file.clone(), ..Module::default() };
        module.visit_file(&syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}")));
        modules.insert(path, module);
    }
    let tests: Vec<Segments> = modules
        .iter()
        .flat_map(|(path, module)| {
            module.tests.iter().map(|test| [path.as_slice(), std::slice::from_ref(test)].concat())
        })
        .collect();
    modules.retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
    let known = Known { name, libraries, modules: &modules };
    modules.iter().map(|(path, module)| (module.file.clone(), known.names(path, module))).collect()
}

/// The libraries that a manifest lists, and the names of both crates of the workspace.
pub fn libraries(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(manifest)).unwrap();
    let section = text.split("[dependencies]\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['=', '.']).next()).map(str::trim);
    let mut libraries: BTreeSet<String> =
        names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(|name| name.replace('-', "_")).collect();
    libraries.extend(["bed", "entrain"].map(str::to_owned));
    libraries
}

impl Module {
    fn import(&mut self, tree: &syn::UseTree, before: &Segments, passed_on: bool) {
        let mut path = before.clone();
        match tree {
            syn::UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.import(&part.tree, &path, passed_on);
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before, passed_on)),
            syn::UseTree::Glob(_) => self.imports.push(("*".to_owned(), path, passed_on)),
            syn::UseTree::Name(name) if name.ident == "self" => {
                self.imports.push((path.last().cloned().unwrap_or_default(), path, passed_on));
            }
            syn::UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.imports.push((name.ident.to_string(), path, passed_on));
            }
            syn::UseTree::Rename(rename) => {
                path.push(rename.ident.to_string());
                self.imports.push((rename.rename.to_string(), path, passed_on));
            }
        }
    }

    /// Macros are not parsed: every `a::b` in their tokens counts as a path.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut path, mut joined): (Segments, u8) = (Vec::new(), 2);
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => joined += 1,
                TokenTree::Ident(ident) => {
                    if joined != 2 {
                        self.paths.push(std::mem::take(&mut path));
                    }
                    self.measures_time |= ident == "elapsed";
                    path.push(ident.to_string());
                    joined = 0;
                }
                other => {
                    self.paths.push(std::mem::take(&mut path));
                    joined = 2;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.paths.push(path);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() {
            let list = if is_test(&item.attrs) { &mut self.tests } else { &mut self.children };
            list.insert(item.ident.to_string());
        } else if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            let passed_on = !matches!(item.vis, syn::Visibility::Inherited);
            self.import(&item.tree, &Vec::new(), passed_on);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.measures_time |= call.method == "elapsed";
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }
}

struct Known<'a> {
    name: &'a str,
    libraries: &'a BTreeSet<String>,
    modules: &'a BTreeMap<Segments, Module>,
}

impl Known<'_> {
    fn names(&self, at: &Segments, module: &Module) -> Names {
        let mut names = Names::default();
        let imported = |first: &String| module.imports.iter().find(|(name, ..)| name == first);
        for (_, path, passed_on) in &module.imports {
            self.learn(at, path, *passed_on, &mut names);
        }
        for path in &module.paths {
            let Some(first) = path.first() else { continue };
            let whole: Segments = match imported(first) {
                Some((_, stands_for, _)) => stands_for.iter().chain(&path[1..]).cloned().collect(),
                None => path.clone(),
            };
            self.learn(at, &whole, false, &mut names);
        }
        names.uses.remove(&module.file);
        names.passes_on.remove(&module.file);
        if module.measures_time {
            names.capabilities.insert("clock");
        }
        names
    }

    fn learn(&self, at: &Segments, path: &[String], passed_on: bool, names: &mut Names) {
        if let Some(file) = self.file(at, path, 0) {
            if passed_on {
                names.passes_on.insert(file)
            } else {
                names.uses.insert(file)
            };
            return;
        }
        names.capabilities.extend(capability(path));
        match path {
            [first, second, ..] if first == "std" && OUTSIDE.contains(&second.as_str()) => {
                names.libraries.insert(format!("std::{second}"));
            }
            [first, ..] if self.libraries.contains(first) && first != self.name => {
                names.libraries.insert(first.clone());
            }
            _ => {}
        }
    }

    /// The file that defines what a path names; `None` for what is not of this crate. A module as such is nobody's.
    fn file(&self, at: &[String], path: &[String], depth: usize) -> Option<File> {
        let (mut base, mut rest): (Segments, &[String]) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (at.to_vec(), &path[1..]),
            "super" => (at[..at.len().saturating_sub(1)].to_vec(), &path[1..]),
            first if first == self.name => (Vec::new(), &path[1..]),
            first if self.modules.get(at)?.children.contains(first) => (at.to_vec(), path),
            _ => return None,
        };
        while rest.first().is_some_and(|segment| segment == "super") {
            base.pop();
            rest = &rest[1..];
        }
        while let Some((first, below)) = rest.split_first() {
            if !self.modules.get(&base)?.children.contains(first) {
                break;
            }
            base.push(first.clone());
            rest = below;
        }
        let (module, item) = (self.modules.get(&base)?, rest.first()?);
        let passed_on = module.imports.iter().find(|(name, _, passed_on)| *passed_on && name == item);
        match passed_on {
            Some((_, stands_for, _)) if depth < 8 => {
                let whole: Segments = stands_for.iter().chain(&rest[1..]).cloned().collect();
                self.file(&base, &whole, depth + 1)
            }
            _ => Some(module.file.clone()),
        }
    }
}

/// What a function of a library gives that no argument says.
fn capability(path: &[String]) -> Option<&'static str> {
    let (last, before) = path.split_last()?;
    match (before.last().map_or("", String::as_str), last.as_str()) {
        ("Instant" | "SystemTime" | "Timestamp" | "Zoned", "now") => Some("clock"),
        (_, "sleep" | "sleep_until") => Some("sleep"),
        ("Uuid", "new_v4") => Some("chance"),
        _ if path[0] == "fastrand" => Some("chance"),
        _ => None,
    }
}

#[test]
fn names_are_followed_through_imports_macros_and_what_is_passed_on() {
    let module = |file: &str, text: &str| {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        module.visit_file(&syn::parse_file(text).unwrap());
        module
    };
    let text = "use crate::a; use tokio::time::Instant;\n#[cfg(test)] mod tests { use kube::Api; }\n\
        fn f() { a::One; println!(\"{}\", crate::c::g(x, std::env::args())); Instant::now(); a::sub::two() }";
    let modules: BTreeMap<Segments, Module> = [
        (vec![], module("lib", "mod a; mod b; mod c;")),
        (vec!["a"], module("a", "mod sub; mod deep; pub use deep::One;")),
        (vec!["a", "sub"], module("a/sub", "")),
        (vec!["a", "deep"], module("a/deep", "use super::{sub::two, super::c};")),
        (vec!["b"], module("b", text)),
        (vec!["c"], module("c", "")),
    ]
    .map(|(path, module)| (path.into_iter().map(str::to_owned).collect(), module))
    .into();
    let libraries = ["kube", "tokio"].map(str::to_owned).into();
    let known = Known { name: "own", libraries: &libraries, modules: &modules };
    let names = |path: &[&str]| {
        let path: Segments = path.iter().map(|part| (*part).to_owned()).collect();
        known.names(&path, &modules[&path])
    };
    let b = names(&["b"]);
    assert_eq!(b.uses.iter().collect::<Vec<_>>(), ["a/deep", "a/sub", "c"]);
    assert_eq!(b.libraries.iter().collect::<Vec<_>>(), ["std::env", "tokio"]);
    assert_eq!(b.capabilities.iter().collect::<Vec<_>>(), [&"clock"]);
    let a = names(&["a"]);
    assert_eq!((a.uses.len(), a.passes_on.iter().collect::<Vec<_>>()), (0, vec![&"a/deep".to_owned()]));
    assert_eq!(names(&["a", "deep"]).uses.iter().collect::<Vec<_>>(), ["a/sub"]);
}
