//! The directory of one plane: made, marked as ours, locked while in use.

use std::fs::{self, File, Permissions, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::PlaneError;

/// Its presence says that everything beside it may be wiped; its lock says that a plane runs.
const MARKER: &str = ".entrain-bed-plane";

pub(super) struct Home {
    path: PathBuf,
    temporary: Option<TempDir>,
    _lock: File,
}

impl Home {
    /// Opens `chosen`, or a temporary directory, and leaves it empty but for the marker.
    pub(super) fn open(chosen: Option<&Path>) -> Result<Self, PlaneError> {
        let (path, temporary) = if let Some(path) = chosen {
            (prepare(path)?, None)
        } else {
            let private = Permissions::from_mode(0o700);
            let dir = tempfile::Builder::new().prefix("entrain-plane-").permissions(private).tempdir();
            let dir = dir.map_err(file_error(&std::env::temp_dir()))?;
            (dir.path().to_owned(), Some(dir))
        };
        let marker = path.join(MARKER);
        let lock = File::create(&marker).map_err(file_error(&marker))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PlaneError::InUse(path)),
            Err(TryLockError::Error(error)) => return Err(file_error(&marker)(error)),
        }
        let home = Self { path, temporary, _lock: lock };
        home.wipe()?;
        Ok(home)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes everything but the marker.
    pub(super) fn wipe(&self) -> Result<(), PlaneError> {
        for entry in fs::read_dir(&self.path).map_err(file_error(&self.path))? {
            let entry = entry.map_err(file_error(&self.path))?;
            if entry.file_name() != MARKER {
                let path = entry.path();
                let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let removed = if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(file_error(&path))?;
            }
        }
        Ok(())
    }

    /// Removes a temporary directory, with an error where `Drop` would have none.
    pub(super) fn close(&mut self) -> Result<(), PlaneError> {
        self.temporary.take().map_or(Ok(()), TempDir::close).map_err(file_error(&self.path))
    }
}

/// Makes the directory and its path absolute; refuses one that holds what is not ours.
fn prepare(chosen: &Path) -> Result<PathBuf, PlaneError> {
    fs::create_dir_all(chosen).map_err(file_error(chosen))?;
    let path = chosen.canonicalize().map_err(file_error(chosen))?;
    let empty = fs::read_dir(&path).map_err(file_error(&path))?.next().is_none();
    if empty || path.join(MARKER).is_file() { Ok(path) } else { Err(PlaneError::NotOurs(path)) }
}

pub(super) fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> PlaneError + use<> {
    let path = path.to_owned();
    |error| PlaneError::File { path, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_other_things_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let precious = dir.path().join("etcd");
        fs::create_dir(&precious).unwrap();
        assert!(matches!(Home::open(Some(dir.path())), Err(PlaneError::NotOurs(_))));
        assert!(precious.exists() && !dir.path().join(MARKER).exists());
    }

    #[test]
    fn a_directory_of_an_earlier_plane_is_wiped_and_one_in_use_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let chosen = dir.path().join("new/plane");
        let first = Home::open(Some(&chosen)).unwrap();
        fs::write(chosen.join("left-over"), "").unwrap();
        fs::create_dir(chosen.join("logs")).unwrap();
        assert!(matches!(Home::open(Some(&chosen)), Err(PlaneError::InUse(_))));
        assert!(chosen.join("left-over").exists());
        drop(first);
        let second = Home::open(Some(&chosen)).unwrap();
        assert!(!chosen.join("left-over").exists() && !chosen.join("logs").exists());
        drop(second);
        assert!(chosen.exists());
    }

    #[test]
    fn a_temporary_directory_goes_with_its_owner() {
        let home = Home::open(None).unwrap();
        let path = home.path().to_owned();
        fs::write(path.join("file"), "").unwrap();
        drop(home);
        assert!(!path.exists());
    }
}
