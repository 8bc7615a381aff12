//! One supervised process: its own process group, its output in a file, and never left behind.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

const TAIL_BYTES: u64 = 8 * 1024;
const TAIL_LINES: usize = 15;
const STOP_POLL: Duration = Duration::from_millis(10);

/// Kills the group `$1` when stdin ends without a line, which is what happens when the process that held the
/// other end is gone, however it went.
const GUARD_SCRIPT: &str = r#"read -r line || kill -s KILL -- "-$1""#;

/// What to run. No `Debug`, because the environment may hold secrets.
#[derive(Clone, Default)]
pub struct Spec {
    /// A path, or a name that is looked up in `PATH`.
    pub program: PathBuf,
    pub args: Vec<String>,
    /// Set on top of the inherited environment.
    pub env: Vec<(String, String)>,
    /// Names that are not inherited.
    pub unset: Vec<String>,
    /// Gets stdout and stderr, appended.
    pub log: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    #[error("{name} could not be started: {error}")]
    Start { name: String, error: io::Error },
    #[error("the log '{path}' could not be opened: {error}", path = path.display())]
    Log { path: PathBuf, error: io::Error },
    #[error("{name} could not be waited for: {error}")]
    Wait { name: String, error: io::Error },
    /// It ended although it should run; `tail` is the end of its log.
    #[error("{name} ended by itself ({status}); the end of its log:\n{tail}")]
    Exited { name: String, status: ExitStatus, tail: String },
}

/// A running process. Dropping it kills the process and its group; so does the end of this process, even by KILL.
pub struct Child {
    name: String,
    process: std::process::Child,
    guard: Guard,
    status: Option<ExitStatus>,
    log: PathBuf,
}

impl Child {
    pub fn spawn(spec: Spec) -> Result<Self, ChildError> {
        let name = spec.program.file_name().unwrap_or(spec.program.as_os_str()).to_string_lossy().into_owned();
        let log = open_log(&spec.log).map_err(|error| ChildError::Log { path: spec.log.clone(), error })?;
        let start_error = |error| ChildError::Start { name: name.clone(), error };
        let mut command = Command::new(&spec.program);
        command.args(&spec.args).stdin(Stdio::null()).process_group(0);
        command.stdout(log.try_clone().map_err(start_error)?).stderr(log);
        for unset in &spec.unset {
            command.env_remove(unset);
        }
        let mut process = command.envs(spec.env).spawn().map_err(start_error)?;
        match Guard::of(process.id()) {
            Ok(guard) => Ok(Self { name, process, guard, status: None, log: spec.log }),
            Err(error) => {
                end_group(&mut process);
                Err(start_error(error))
            }
        }
    }

    /// The process id, which is the id of its group too.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The file name of the program.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The last lines of the log, empty if it cannot be read.
    pub fn log_tail(&self) -> String {
        tail(&self.log).unwrap_or_default()
    }

    /// `None` while it runs.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, ChildError> {
        if self.status.is_none() {
            let ended = self.process.try_wait();
            self.status = ended.map_err(|error| ChildError::Wait { name: self.name.clone(), error })?;
            if self.status.is_some() {
                // What it left behind goes too; while there is such a process, nobody else gets the id of its group.
                let _ = killpg(group(self.pid()), Signal::SIGKILL);
                self.guard.disarm();
            }
        }
        Ok(self.status)
    }

    /// An error with the end of the log if it no longer runs.
    pub fn check(&mut self) -> Result<(), ChildError> {
        match self.try_wait()? {
            None => Ok(()),
            Some(status) => Err(ChildError::Exited { name: self.name.clone(), status, tail: self.log_tail() }),
        }
    }

    /// Sends a signal to the process and what it started; nothing happens once it has ended.
    pub fn signal(&mut self, signal: Signal) -> Result<(), ChildError> {
        if self.try_wait()?.is_none() {
            // The process is ours and not reaped yet, so its id still means it; a failure means that it just ended.
            let _ = killpg(group(self.pid()), signal);
        }
        Ok(())
    }

    /// Kills the process with its group and reaps it.
    pub fn kill(&mut self) {
        if self.status.is_none() {
            self.status = end_group(&mut self.process);
            self.guard.disarm();
        }
    }

    /// TERM, then KILL after `grace`. Ends with the process reaped; dropping the future halfway leaves it to `Drop`.
    pub async fn stop(&mut self, grace: Duration) -> Result<Option<ExitStatus>, ChildError> {
        self.signal(Signal::SIGTERM)?;
        let deadline = Instant::now() + grace;
        while self.try_wait()?.is_none() {
            if Instant::now() >= deadline {
                self.kill();
                break;
            }
            sleep(STOP_POLL).await;
        }
        Ok(self.status)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A small shell that outlives us long enough to kill the group if we end without saying so.
struct Guard(std::process::Child);

impl Guard {
    fn of(pid: u32) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD_SCRIPT, "guard", &pid.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.process_group(0).spawn().map(Self)
    }

    /// Must follow the reaping, so that no moment is unguarded.
    fn disarm(&mut self) {
        if let Some(mut line) = self.0.stdin.take() {
            // Only a guard that is gone already refuses the line.
            let _ = line.write_all(b"\n");
            drop(line);
            let _ = self.0.wait();
        }
    }
}

fn end_group(process: &mut std::process::Child) -> Option<ExitStatus> {
    let _ = killpg(group(process.id()), Signal::SIGKILL);
    process.wait().ok()
}

fn group(pid: u32) -> Pid {
    Pid::from_raw(pid.cast_signed())
}

fn open_log(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(last_lines(&String::from_utf8_lossy(&bytes)))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{alive, eventually};

    fn shell(script: &str, log: &Path) -> Child {
        let args = vec!["-c".to_owned(), script.to_owned()];
        Child::spawn(Spec { program: "sh".into(), args, log: log.to_owned(), ..Spec::default() }).unwrap()
    }

    fn number_in(log: &Path) -> u32 {
        eventually("a process id in the log", || std::fs::read_to_string(log).ok()?.trim().parse().ok())
    }

    #[test]
    fn drop_kills_the_process_and_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let child = shell("sleep 300 & echo $!; wait", &log);
        let (parent, grandchild) = (child.pid(), number_in(&log));
        assert!(alive(parent) && alive(grandchild));
        drop(child);
        assert!(!alive(parent));
        eventually("the end of the grandchild", || (!alive(grandchild)).then_some(()));
    }

    #[test]
    fn the_guard_kills_when_the_holder_vanishes_without_a_word() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = shell("exec sleep 300", &dir.path().join("log"));
        drop(child.guard.0.stdin.take());
        let status = eventually("the end of the child", || child.try_wait().unwrap());
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        child.guard.0.wait().unwrap();
    }

    #[test]
    fn what_an_ended_process_leaves_behind_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut child = shell("sleep 300 & echo $!", &log);
        let left = number_in(&log);
        assert!(eventually("the end of the child", || child.try_wait().unwrap()).success());
        eventually("the end of what it left", || (!alive(left)).then_some(()));
    }

    #[test]
    fn a_disarmed_guard_kills_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = shell("exec sleep 300", &dir.path().join("log"));
        child.guard.disarm();
        assert!(child.try_wait().unwrap().is_none());
    }

    #[tokio::test]
    async fn stop_asks_first_and_kills_later() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut polite = shell("trap 'exit 7' TERM; echo $$; while :; do sleep 0.01; done", &log);
        number_in(&log);
        assert_eq!(polite.stop(Duration::from_secs(10)).await.unwrap().unwrap().code(), Some(7));

        let log = dir.path().join("deaf");
        let mut deaf = shell("trap '' TERM; echo $$; while :; do sleep 0.01; done", &log);
        number_in(&log);
        assert_eq!(deaf.stop(Duration::from_millis(50)).await.unwrap().unwrap().code(), None);
    }

    #[test]
    fn an_early_end_shows_the_end_of_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = shell("for i in $(seq 1 40); do echo line $i; done; exit 3", &dir.path().join("log"));
        let error = eventually("the end of the child", || child.check().err()).to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("line 40"), "{error}");
        assert!(error.contains("line 26\n") && !error.contains("line 25\n"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let spec = Spec { program: dir.path().join("nothing-here"), log: dir.path().join("log"), ..Spec::default() };
        let error = Child::spawn(spec).err().unwrap().to_string();
        assert!(error.starts_with("nothing-here could not be started"), "{error}");
    }

    #[test]
    fn environment_is_set_and_unset() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let spec = Spec {
            program: "sh".into(),
            args: vec!["-c".into(), "echo \"$GIVEN:${PATH-none}\"".into()],
            env: vec![("GIVEN".into(), "yes".into())],
            unset: vec!["PATH".into()],
            log: log.clone(),
        };
        let mut child = Child::spawn(spec).unwrap();
        eventually("the end", || child.try_wait().unwrap());
        // A shell without PATH may bring a default of its own, so only ours must be absent.
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.starts_with("yes:") && !text.contains(&std::env::var("PATH").unwrap()), "{text}");
    }
}
