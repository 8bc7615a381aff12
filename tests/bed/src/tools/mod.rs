//! Where the binaries of the control plane, and others that tests ask, come from: the machine if it has them, else a
//! build from pinned Go modules.

mod build;
mod progress;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// Names a directory with ready binaries; nothing is built when it is set. The variable is controller-runtime's.
pub const ASSETS_VARIABLE: &str = "KUBEBUILDER_ASSETS";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    Etcd,
    KubeApiserver,
    KubeControllerManager,
    Kubectl,
    /// Our `main` on the library by which Helm and Flux wait.
    Kstatus,
    Helm,
    Helm3,
    Kustomize,
    Prometheus,
    Promtool,
}

#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error("{ASSETS_VARIABLE} is '{dir}', so nothing is built, but {tool} is not in there; add it or unset the variable", dir = dir.display())]
    NotInAssets { tool: &'static str, dir: PathBuf },
    #[error("neither XDG_CACHE_HOME nor HOME is set, so there is no place for built tools")]
    NoCache,
    #[error(
        "{tool} has to be built, and Go {needed} or newer is missing: install it from https://go.dev/dl, or point {ASSETS_VARIABLE} to ready binaries"
    )]
    GoMissing { tool: &'static str, needed: String },
    #[error(
        "{tool} has to be built with Go {needed} or newer, and this is {found}: update it from https://go.dev/dl, or point {ASSETS_VARIABLE} to ready binaries"
    )]
    GoTooOld { tool: &'static str, found: String, needed: String },
    #[error("'{path}' does not name the version of {module}", path = path.display())]
    Pin { path: PathBuf, module: &'static str },
    #[error("'{path}': {error}", path = path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("building {tool} failed ({status}); the end of its output:\n{tail}")]
    Build { tool: &'static str, status: std::process::ExitStatus, tail: String },
    #[error(transparent)]
    Child(#[from] crate::child::ChildError),
}

/// Where a tool is to be taken from.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    Ready(PathBuf),
    Build,
}

impl Tool {
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Kstatus => "kstatus",
            Self::Helm => "helm",
            Self::Helm3 => "helm3",
            Self::Kustomize => "kustomize",
            Self::Prometheus => "prometheus",
            Self::Promtool => "promtool",
        }
    }

    /// The directory below `tools/` with its go.mod.
    fn module(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver | Self::KubeControllerManager | Self::Kubectl => "kube",
            Self::Kstatus => "kstatus",
            Self::Helm => "helm",
            Self::Helm3 => "helm3",
            Self::Kustomize => "kustomize",
            Self::Prometheus | Self::Promtool => "prometheus",
        }
    }

    /// Whether a directory of ready binaries must hold it. The others are clients with versions of their own:
    /// what is not in there is built all the same.
    fn of_the_plane(self) -> bool {
        matches!(self.module(), "etcd" | "kube")
    }

    /// The Go module whose version is the tool's version.
    fn pinned(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::KubeApiserver | Self::KubeControllerManager | Self::Kubectl => "k8s.io/kubernetes",
            Self::Kstatus => "sigs.k8s.io/cli-utils",
            Self::Helm => "helm.sh/helm/v4",
            Self::Helm3 => "helm.sh/helm/v3",
            Self::Kustomize => "sigs.k8s.io/kustomize/kustomize/v5",
            Self::Prometheus | Self::Promtool => "github.com/prometheus/prometheus",
        }
    }

    fn package(self) -> String {
        match self {
            Self::Etcd | Self::Kustomize => self.pinned().to_owned(),
            Self::Helm | Self::Helm3 => format!("{}/cmd/helm", self.pinned()),
            Self::KubeApiserver | Self::KubeControllerManager | Self::Kubectl | Self::Prometheus | Self::Promtool => {
                format!("{}/cmd/{}", self.pinned(), self.name())
            }
            Self::Kstatus => ".".to_owned(),
        }
    }

    /// Build tags, separated by commas. Without the discovery of targets in clouds, Prometheus and promtool build faster
    /// and are much smaller; they get the same, so that one finds what the other compiled in Go's cache. The pages of
    /// Prometheus are not compiled in unless a tag asks for them.
    fn tags(self) -> &'static str {
        if self.module() == "prometheus" { "remove_all_sd" } else { "" }
    }

    /// Files of our own beside go.mod that are compiled into the tool.
    fn sources(self) -> &'static [&'static str] {
        if self == Self::Kstatus { &["main.go"] } else { &[] }
    }
}

/// The path of a tool, which is built first if need be: minutes once per user and pinned version, with progress on
/// stderr, and milliseconds later. Blocks; two processes do not build at the same time.
pub fn ensure(tool: Tool) -> Result<PathBuf, ToolError> {
    let assets = std::env::var_os(ASSETS_VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    match source(tool, assets.as_deref(), std::env::var_os("PATH").as_deref())? {
        Source::Ready(path) => Ok(path),
        Source::Build => build::cached(tool, &cache_root()?),
    }
}

fn source(tool: Tool, assets: Option<&Path>, path: Option<&OsStr>) -> Result<Source, ToolError> {
    if let Some(dir) = assets {
        let asset = dir.join(tool.name());
        if is_executable(&asset) {
            return Ok(Source::Ready(asset));
        }
    }
    let on_path = (tool == Tool::Kubectl).then(|| find_on_path(tool.name(), path)).flatten();
    match (on_path, assets) {
        (Some(found), _) => Ok(Source::Ready(found)),
        (None, Some(dir)) if tool.of_the_plane() => {
            Err(ToolError::NotInAssets { tool: tool.name(), dir: dir.to_owned() })
        }
        (None, _) => Ok(Source::Build),
    }
}

fn find_on_path(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn cache_root() -> Result<PathBuf, ToolError> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    Ok(base.ok_or(ToolError::NoCache)?.join("entrain-bed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executable(dir: &Path, name: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.join(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn assets_win_and_forbid_building() {
        let (assets, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let etcd = executable(assets.path(), "etcd");
        let kubectl = executable(other.path(), "kubectl");
        let look = |tool| source(tool, Some(assets.path()), Some(other.path().as_os_str()));
        assert_eq!(look(Tool::Etcd).unwrap(), Source::Ready(etcd));
        assert_eq!(look(Tool::Kubectl).unwrap(), Source::Ready(kubectl));
        assert!(matches!(look(Tool::KubeApiserver), Err(ToolError::NotInAssets { tool: "kube-apiserver", .. })));
        assert_eq!(look(Tool::Helm).unwrap(), Source::Build);
    }

    #[test]
    fn only_kubectl_is_taken_from_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let kubectl = executable(dir.path(), "kubectl");
        executable(dir.path(), "etcd");
        let look = |tool| source(tool, None, Some(dir.path().as_os_str())).unwrap();
        assert_eq!(look(Tool::Kubectl), Source::Ready(kubectl));
        assert_eq!(look(Tool::Etcd), Source::Build);
        assert_eq!(source(Tool::Kubectl, None, None).unwrap(), Source::Build);
    }

    #[test]
    fn what_we_wrote_is_built_even_beside_ready_binaries() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(source(Tool::Kstatus, Some(dir.path()), None).unwrap(), Source::Build);
        let kstatus = executable(dir.path(), "kstatus");
        assert_eq!(source(Tool::Kstatus, Some(dir.path()), None).unwrap(), Source::Ready(kstatus));
    }

    #[test]
    fn a_file_that_is_no_program_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("kubectl"), "").unwrap();
        assert_eq!(source(Tool::Kubectl, None, Some(dir.path().as_os_str())).unwrap(), Source::Build);
    }
}
