//! The control plane of these tests, with the CRDs, the operator's roles and its token: one for all, unless a test does
//! to it what the others could not bear.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, OnceLock};

use bed::plane::Ready;
use bed::plane::owned::{OwnedPlane, bed_binary};
use bed::tools::{self, Tool};
use serde_json::{Value, json};

/// The user that the operators of all tests are.
pub const OPERATOR_USER: &str = "system:serviceaccount:entrain-system:entrain";

pub struct SharedPlane {
    owned: OwnedPlane,
    kubectl: PathBuf,
    operator_token: OnceLock<String>,
}

/// Started by the first test that needs it; it ends with this process, however that ends.
pub fn shared() -> &'static Arc<SharedPlane> {
    static PLANE: LazyLock<Arc<SharedPlane>> = LazyLock::new(|| Arc::new(SharedPlane::start()));
    &PLANE
}

pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl SharedPlane {
    /// For a test that needs one of its own.
    pub fn start() -> Self {
        let plane = Self::bare();
        let path = |below: &str| repository().join(below).display().to_string();
        plane.kubectl(&["apply", "--server-side", "-f", &path("crds")]);
        plane.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
        plane.kubectl(&["create", "namespace", "entrain-system"]);
        plane.kubectl(&["apply", "-f", &path("config/rbac")]);
        plane.kubectl(&["apply", "-f", &path("config/tenants/rbac.yaml")]);
        plane
    }

    /// Without anything of ours.
    pub fn bare() -> Self {
        let bed = bed_binary().expect("`cargo build --workspace --bins` makes the bed");
        let owned = OwnedPlane::start(&bed, &["--controller-manager", "--audit"]).unwrap();
        Self { owned, kubectl: tools::ensure(Tool::Kubectl).unwrap(), operator_token: OnceLock::new() }
    }

    /// A token of the operator's ServiceAccount, the same for all operators.
    fn operator_token(&self) -> &str {
        let create = || self.kubectl(&["create", "token", "entrain", "-n", "entrain-system", "--duration=2h"]);
        self.operator_token.get_or_init(|| create().trim().to_owned())
    }

    pub fn ready(&self) -> &Ready {
        self.owned.ready()
    }

    /// Runs kubectl as the administrator and answers with what it wrote to stdout; it must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|message| panic!("kubectl {}: {message}", arguments.join(" ")))
    }

    /// The same, with what it wrote to stderr if it fails.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.kubectl);
        // Discovery of a server that will be gone must not stay in the user's cache.
        command.arg("--cache-dir").arg(self.ready().dir.join("kubectl-cache")).args(arguments);
        command.env("KUBECONFIG", &self.ready().kubeconfig).stdin(Stdio::null());
        let output = command.output().map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// A kubeconfig with the operator's token and nothing else.
    pub fn operator_kubeconfig(&self) -> Value {
        let ready = self.ready();
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": ready.server, "certificate-authority": ready.ca}}],
            "users": [{"name": "operator", "user": {"token": self.operator_token()}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "operator"}}],
        })
    }
}
