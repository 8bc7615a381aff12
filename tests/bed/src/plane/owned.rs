//! A plane in a process of its own that cannot outlive its owner: for tests, which may end in any way.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{PlaneError, Ready};

/// `bed plane --until-stdin-closes`. When the owner ends, by whatever means, its end of the pipe closes and the
/// plane stops; so it may stand in a `static`, which is never dropped.
pub struct OwnedPlane {
    process: Child,
    ready: Ready,
}

impl OwnedPlane {
    /// Starts `bed` (see [`bed_binary`]) with more arguments of `bed plane`, and blocks until the plane is ready.
    pub fn start(bed: &Path, args: &[&str]) -> Result<Self, PlaneError> {
        let mut command = Command::new(bed);
        command.args(["plane", "--until-stdin-closes"]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut process = command.spawn().map_err(super::home::file_error(bed))?;
        match read_ready(&mut process) {
            Ok(ready) => Ok(Self { process, ready }),
            Err(reason) => {
                end(&mut process);
                Err(PlaneError::Process(reason))
            }
        }
    }

    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The id of the `bed` process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for OwnedPlane {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// The `bed` binary beside the running test binary, where cargo puts it; `None` if it was not built.
pub fn bed_binary() -> Option<PathBuf> {
    let exe = std::env::current_exe().ok()?;
    exe.ancestors().skip(1).take(2).map(|dir| dir.join("bed")).find(|path| path.is_file())
}

fn read_ready(process: &mut Child) -> Result<Ready, String> {
    let stdout = process.stdout.take().ok_or("no stdout")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
    // The line holds a token, so a parse error must not quote it.
    serde_json::from_str(&line).map_err(|_| "it ended before it was ready; its message is on stderr".to_owned())
}

fn end(process: &mut Child) {
    drop(process.stdin.take());
    let _ = process.wait();
}
