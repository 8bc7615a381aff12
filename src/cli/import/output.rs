//! Where the manifests go: to standard output as one stream, or each into a file of its own.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::ImportError;
use super::manifest::Document;
use super::text::render;
use crate::args::Import;

const NAMED_MAX: usize = 5;

/// What can be known before anything is read.
pub(super) fn check(options: &Import) -> Result<(), ImportError> {
    match &options.output_dir {
        Some(dir) if dir.exists() && !dir.is_dir() => Err(ImportError::NoDirectory(dir.display().to_string())),
        Some(_) | None => Ok(()),
    }
}

/// Writes all, or nothing where a file would be overwritten that should not be.
pub(super) fn write(documents: &[Document], options: &Import) -> Result<(), ImportError> {
    let texts: Vec<String> = documents.iter().map(render).collect::<Result<_, _>>()?;
    let Some(dir) = &options.output_dir else {
        return std::io::stdout().lock().write_all(texts.join("---\n").as_bytes()).map_err(ImportError::Print);
    };
    let files: Vec<PathBuf> = documents.iter().map(|document| dir.join(format!("{}.yaml", document.name()))).collect();
    let there: Vec<String> =
        files.iter().filter(|file| file.exists()).map(|file| format!("'{}'", file.display())).collect();
    if !options.force && !there.is_empty() {
        return Err(ImportError::Exists(list(&there)));
    }
    fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    for (file, text) in files.iter().zip(texts) {
        put(file, &text, options.force).map_err(|error| failed(file, error))?;
    }
    Ok(())
}

fn put(file: &Path, text: &str, force: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).truncate(true);
    // Somebody may have made it since it was looked for.
    options.create_new(!force).create(force);
    options.open(file)?.write_all(text.as_bytes())
}

fn failed(path: &Path, error: std::io::Error) -> ImportError {
    ImportError::Write { path: path.display().to_string(), error }
}

fn list(there: &[String]) -> String {
    let named = there[..there.len().min(NAMED_MAX)].join(", ");
    match there.len() {
        1 => format!("{named} is"),
        count if count > NAMED_MAX => format!("{named} and {} more are", count - NAMED_MAX),
        _ => format!("{named} are"),
    }
}
