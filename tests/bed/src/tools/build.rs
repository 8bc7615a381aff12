//! Builds one tool from its pinned Go module into a per-user cache.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::progress::Progress;
use super::{Tool, ToolError};
use crate::child::{Child, Spec};

/// Part of the cache key: change it when what [`arguments`] passes changes.
const RECIPE: &str = "1: trimpath, no pgo, stripped, stamped";
const POLL: Duration = Duration::from_millis(200);

/// The tool's path in the cache below `root`, built if it is not there.
pub(super) fn cached(tool: Tool, root: &Path) -> Result<PathBuf, ToolError> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools").join(tool.module());
    let pins = Pins::read(&module, tool)?;
    let home = root.join(format!("{}-{}", tool.module(), pins.key));
    let binary = home.join("bin").join(tool.name());
    if binary.is_file() {
        return Ok(binary);
    }
    fs::create_dir_all(home.join("bin")).map_err(file_error(&home))?;
    let _lock = lock(root, tool)?;
    // Whoever held the lock before may have built it.
    if !binary.is_file() {
        check_go(tool, &pins.go)?;
        let partial = home.join(format!("{}.partial", tool.name()));
        build(tool, &pins.version, &module, &partial, &home.join(format!("{}.log", tool.name())))?;
        fs::rename(&partial, &binary).map_err(file_error(&binary))?;
    }
    Ok(binary)
}

/// What the module's files fix.
struct Pins {
    /// As in go.mod, for example `v1.36.3`.
    version: String,
    /// The least version of Go, for example `1.26.0`.
    go: String,
    /// 16 hexadecimal digits that change whenever a build would give something else.
    key: String,
}

impl Pins {
    fn read(module: &Path, tool: Tool) -> Result<Self, ToolError> {
        let read = |name: &str| fs::read_to_string(module.join(name)).map_err(file_error(&module.join(name)));
        let (go_mod, go_sum) = (read("go.mod")?, read("go.sum")?);
        let pin = |module_name: &'static str| ToolError::Pin { path: module.join("go.mod"), module: module_name };
        let sources = tool.sources().iter().map(|name| read(name)).collect::<Result<Vec<_>, _>>()?;
        let fixed = [&go_mod, &go_sum, RECIPE, std::env::consts::OS, std::env::consts::ARCH];
        let parts: Vec<&str> = fixed.into_iter().chain(sources.iter().map(String::as_str)).collect();
        Ok(Self {
            version: word_after(&go_mod, tool.pinned()).ok_or_else(|| pin(tool.pinned()))?.to_owned(),
            go: word_after(&go_mod, "go").ok_or_else(|| pin("go"))?.to_owned(),
            key: key(&parts),
        })
    }
}

/// The second word of the first line whose first word is `name`.
fn word_after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .map(str::split_whitespace)
        .find_map(|mut words| (words.next()? == name).then(|| words.next()).flatten())
}

fn key(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        // The length keeps two parts from being read as two others with the same bytes.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().iter().take(8).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// One lock for all tools, because two Go builds at once would only fight for the processors.
fn lock(root: &Path, tool: Tool) -> Result<File, ToolError> {
    let path = root.join("build.lock");
    let file = File::create(&path).map_err(file_error(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("waiting for another build before {} …", tool.name());
            file.lock().map_err(file_error(&path))?;
        }
        Err(TryLockError::Error(error)) => return Err(file_error(&path)(error)),
    }
    Ok(file)
}

fn check_go(tool: Tool, needed: &str) -> Result<(), ToolError> {
    let missing = || ToolError::GoMissing { tool: tool.name(), needed: needed.to_owned() };
    let output = Command::new("go").args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local").output();
    let output = output.ok().filter(|output| output.status.success()).ok_or_else(missing)?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    // A development version has no number; Go itself judges it then.
    if go_version(&found).zip(go_version(needed)).is_some_and(|(found, needed)| found < needed) {
        return Err(ToolError::GoTooOld { tool: tool.name(), found, needed: needed.to_owned() });
    }
    Ok(())
}

/// `go1.26.8`, `1.26` and `go1.27rc1` as numbers.
fn go_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.trim_start_matches("go").split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

fn build(tool: Tool, version: &str, module: &Path, partial: &Path, log: &Path) -> Result<(), ToolError> {
    if log.exists() {
        fs::remove_file(log).map_err(file_error(log))?;
    }
    let mut child = Child::spawn(Spec {
        program: "go".into(),
        args: arguments(tool, version, module, partial),
        env: environment(),
        unset: Vec::new(),
        log: log.to_owned(),
    })?;
    let mut progress = Progress::new(format!("{} {version}", tool.name()));
    loop {
        progress.tick();
        match child.try_wait()? {
            None => std::thread::sleep(POLL),
            Some(status) if status.success() => break,
            Some(status) => {
                progress.failed();
                return Err(ToolError::Build { tool: tool.name(), status, tail: child.log_tail() });
            }
        }
    }
    progress.done();
    Ok(())
}

fn arguments(tool: Tool, version: &str, module: &Path, partial: &Path) -> Vec<String> {
    let stamp = stamp(tool, version);
    let (module, partial) = (module.display().to_string(), partial.display().to_string());
    let fixed = ["-C", &module, "build", "-p", "2", "-trimpath", "-pgo=off", "-ldflags", &stamp, "-o", &partial];
    let tags = Some(tool.tags()).filter(|tags| !tags.is_empty()).map(|tags| format!("-tags={tags}"));
    fixed.into_iter().map(str::to_owned).chain(tags).chain([tool.package()]).collect()
}

/// Linker flags. Kubernetes takes its version from them and without them reports one that clients cannot parse;
/// the others have their own compiled in or tell none, and helm takes the newest server that it knows from its client-go.
fn stamp(tool: Tool, version: &str) -> String {
    let stripped = "-s -w".to_owned();
    let mut numbers = version.trim_start_matches('v').split('.');
    let (Some(major), Some(minor), true) = (numbers.next(), numbers.next(), tool.module() == "kube") else {
        return stripped;
    };
    let values = [("gitVersion", version), ("gitMajor", major), ("gitMinor", minor), ("gitTreeState", "clean")];
    let mut flags = stripped;
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (name, value) in values {
            flags.extend([" -X ", package, ".", name, "=", value]);
        }
    }
    flags
}

fn environment() -> Vec<(String, String)> {
    let pairs = [
        ("GOTOOLCHAIN", "local"),
        ("GOFLAGS", "-mod=readonly"),
        ("GOWORK", "off"),
        ("CGO_ENABLED", "0"),
        ("GIT_TERMINAL_PROMPT", "0"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> ToolError + use<> {
    let path = path.to_owned();
    |error| ToolError::File { path, error }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_committed_modules_pin_each_tool() {
        for tool in <Tool as clap::ValueEnum>::value_variants().iter().copied() {
            let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools").join(tool.module());
            let pins = Pins::read(&module, tool).unwrap();
            assert!(pins.version.starts_with('v') && go_version(&pins.version[1..]).is_some(), "{}", pins.version);
            assert!(go_version(&pins.go) >= Some((1, 24, 0)), "{}", pins.go);
            let go_mod = fs::read_to_string(module.join("go.mod")).unwrap();
            let ours = !tool.sources().is_empty();
            assert!(ours || go_mod.contains(&tool.package()), "{} has no tool line", tool.package());
        }
    }

    #[test]
    fn a_version_is_the_word_after_its_module() {
        let text = "module m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes-x v9\n\tk8s.io/kubernetes v1.36.3 // indirect\n)\n";
        assert_eq!(word_after(text, "k8s.io/kubernetes"), Some("v1.36.3"));
        assert_eq!(word_after(text, "go"), Some("1.26.0"));
        assert_eq!(word_after(text, "absent"), None);
    }

    #[test]
    fn the_key_depends_on_each_part_and_on_the_cut_between_them() {
        assert_eq!(key(&["a", "b"]).len(), 16);
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_ne!(key(&["a", "b"]), key(&["a", "c"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
    }

    #[test]
    fn versions_of_go_compare_as_numbers() {
        assert!(go_version("go1.9.7") < go_version("go1.26"));
        assert!(go_version("go1.26.8") > go_version("1.26.0"));
        assert_eq!(go_version("go1.27rc1"), Some((1, 27, 0)));
        assert_eq!(go_version("devel +abc"), None);
    }

    #[test]
    fn kubernetes_is_stamped_and_no_other() {
        let stamp = |tool| super::stamp(tool, "v1.36.3");
        assert!(stamp(Tool::Kubectl).contains("-X k8s.io/client-go/pkg/version.gitVersion=v1.36.3 "));
        assert!(stamp(Tool::Kubectl).contains("-X k8s.io/component-base/version.gitMinor=36 "));
        assert_eq!(stamp(Tool::Etcd), "-s -w");
        assert_eq!(stamp(Tool::Kstatus), "-s -w");
        assert_eq!(stamp(Tool::Helm), "-s -w");
    }

    #[test]
    fn what_is_in_the_cache_is_not_built() {
        let root = tempfile::tempdir().unwrap();
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/etcd");
        let key = Pins::read(&module, Tool::Etcd).unwrap().key;
        let bin = root.path().join(format!("etcd-{key}/bin"));
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("etcd"), "").unwrap();
        assert_eq!(cached(Tool::Etcd, root.path()).unwrap(), bin.join("etcd"));
        assert!(!root.path().join("build.lock").exists());
    }
}
