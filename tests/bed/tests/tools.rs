//! How tools are built, with a stand-in for Go that takes no minutes.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bed::test_support::{alive, eventually};

/// A `PATH` with the given Go and the little that a shell script needs, and a cache.
struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    /// `on_build` is shell, run where Go would build; `$out` is the file to write.
    fn with_go(version: &str, on_build: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let go = format!(
            "#!/bin/sh
if [ \"$1\" = env ]; then echo {version}; exit; fi
echo \"$GOTOOLCHAIN $GOFLAGS $CGO_ENABLED $*\" >> '{}'
while [ \"$1\" != -o ]; do shift; done
out=$2
{on_build}
",
            dir.path().join("builds").display()
        );
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        let path = dir.path().join("bin/go");
        std::fs::write(&path, go).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    fn bed(&self, tool: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bed"));
        command.args(["tools", tool]).env_remove("KUBEBUILDER_ASSETS").env("XDG_CACHE_HOME", self.dir.path());
        let system = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{system}", self.dir.path().join("bin").display()));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn builds(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.dir.path().join("builds")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn printed_path(output: &Output) -> PathBuf {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Path::new(std::str::from_utf8(&output.stdout).unwrap().trim()).to_owned()
}

const WRITES: &str = "echo built > \"$out\"; chmod +x \"$out\"";

#[test]
fn a_tool_is_built_once_even_by_two_at_the_same_time() {
    let machine = Machine::with_go("go1.26.8", &format!("sleep 0.3; {WRITES}"));
    let two = [machine.bed("kube-apiserver").spawn().unwrap(), machine.bed("kube-apiserver").spawn().unwrap()];
    let paths = two.map(|process| printed_path(&process.wait_with_output().unwrap()));
    assert_eq!(paths[0], paths[1]);
    assert_eq!(std::fs::read_to_string(&paths[0]).unwrap(), "built\n");
    assert_eq!(printed_path(&machine.bed("kube-apiserver").output().unwrap()), paths[0]);
    let builds = machine.builds();
    assert_eq!(builds.len(), 1, "{builds:?}");
    assert!(builds[0].starts_with("local -mod=readonly 0 -C "), "{builds:?}");
    assert!(
        builds[0].contains("version.gitVersion=v1.") && builds[0].ends_with("k8s.io/kubernetes/cmd/kube-apiserver")
    );
}

#[test]
fn a_failed_build_shows_why_and_leaves_nothing_to_be_taken_for_a_tool() {
    let machine = Machine::with_go("go1.26.8", "echo half > \"$out\"; echo no space left >&2; exit 1");
    for attempt in 1..=2 {
        let output = machine.bed("etcd").output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1));
        assert!(message.contains("building etcd failed") && message.contains("no space left"), "{message}");
        assert_eq!(machine.builds().len(), attempt);
    }
}

#[test]
fn an_old_go_is_named_and_not_tried() {
    let machine = Machine::with_go("go1.21.3", WRITES);
    let output = machine.bed("etcd").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && message.contains("go1.21.3") && message.contains("go.dev/dl"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(machine.builds().is_empty());
}

#[test]
fn a_build_does_not_outlive_the_command() {
    let machine = Machine::with_go("go1.26.8", "echo $$ > \"$out.pid\"; exec sleep 300");
    let mut process = machine.bed("etcd").spawn().unwrap();
    let pid_file = || {
        let homes = std::fs::read_dir(machine.dir.path().join("entrain-bed")).ok()?;
        let files = homes.filter_map(|home| Some(home.ok()?.path().join("etcd.partial.pid")));
        { files }.find_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u32>().ok())
    };
    let pid = eventually("the build", pid_file);
    process.kill().unwrap();
    process.wait().unwrap();
    eventually("the end of the build", || (!alive(pid)).then_some(()));
}
