//! Which files are read: one that is named, whatever its name; of a directory, recursively, those that hold manifests by
//! their name; standard input for `-`.

use std::io::Read;
use std::path::Path;

use walkdir::WalkDir;

use super::manifest::Problem;

const EXTENSIONS: &[&str] = &["yaml", "yml", "json"];

pub(super) struct File {
    pub name: String,
    pub text: String,
}

pub(super) fn read(path: &Path) -> Result<Vec<File>, Problem> {
    if path == Path::new("-") {
        let mut text = String::new();
        let name = "standard input".to_owned();
        return match std::io::stdin().lock().read_to_string(&mut text) {
            Ok(_) => Ok(vec![File { name, text }]),
            Err(error) => Err(Problem::File { file: name, what: error.to_string() }),
        };
    }
    if !path.is_dir() {
        return one(path).map(|file| vec![file]);
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| Problem::File { file: shown(path), what: error.to_string() })?;
        let manifest = entry.path().extension().is_some_and(|end| EXTENSIONS.iter().any(|known| end == *known));
        // A link to a file is followed, a link to a directory is not: that could lead in a circle.
        if manifest && entry.path().is_file() {
            files.push(one(entry.path())?);
        }
    }
    Ok(files)
}

fn one(path: &Path) -> Result<File, Problem> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(File { name: shown(path), text }),
        Err(error) => Err(Problem::File { file: shown(path), what: error.to_string() }),
    }
}

/// A name may hold anything; what is printed must not steer a terminal.
fn shown(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
