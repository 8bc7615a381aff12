//! Starts the processes of a plane one after the other, each when the one before is really ready.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::admin::Admin;
use super::files::Files;
use super::flags::{self, Ports};
use super::home::Home;
use super::keys::Keys;
use super::{Plane, PlaneError, PlaneOptions, Ready};
use crate::child::{Child, ChildError, Spec};
use crate::tools::{self, Tool, ToolError};

/// Somebody else may take a port between the moment it was found free and the moment it is used.
const ATTEMPTS: usize = 3;
const READY_MAX: Duration = Duration::from_secs(90);
const READY_POLL: Duration = Duration::from_millis(50);

pub(super) async fn plane(options: &PlaneOptions) -> Result<Plane, PlaneError> {
    let home = Home::open(options.dir.as_deref())?;
    let binaries = Binaries::ensure(options.controller_manager).await?;
    let mut attempt = 1;
    let (children, ready) = loop {
        match processes(&home, &binaries, options).await {
            Err(PlaneError::Child(error)) if attempt < ATTEMPTS && is_port_taken(&error) => home.wipe()?,
            outcome => break outcome?,
        }
        attempt += 1;
    };
    Ok(Plane { children, home, ready })
}

fn is_port_taken(error: &ChildError) -> bool {
    matches!(error, ChildError::Exited { tail, .. } if tail.contains("address already in use"))
}

struct Binaries {
    etcd: PathBuf,
    apiserver: PathBuf,
    controller_manager: Option<PathBuf>,
}

impl Binaries {
    async fn ensure(controller_manager: bool) -> Result<Self, PlaneError> {
        let all = move || -> Result<Self, ToolError> {
            Ok(Self {
                etcd: tools::ensure(Tool::Etcd)?,
                apiserver: tools::ensure(Tool::KubeApiserver)?,
                controller_manager: controller_manager
                    .then(|| tools::ensure(Tool::KubeControllerManager))
                    .transpose()?,
            })
        };
        match tokio::task::spawn_blocking(all).await {
            Ok(outcome) => Ok(outcome?),
            Err(error) => Err(PlaneError::Process(error.to_string())),
        }
    }
}

async fn processes(
    home: &Home,
    binaries: &Binaries,
    options: &PlaneOptions,
) -> Result<(Vec<Child>, Ready), PlaneError> {
    let (files, ports, keys) = (Files::below(home.path()), free_ports()?, Keys::generate()?);
    let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    files.write(&keys, &ports.server(), &token)?;
    let mut starting = Starting { children: Vec::new(), files: &files };
    // Only the API server gets the token: on the other ports somebody else might answer.
    let client = |server: String, token: Option<&str>| Admin::with(server, &keys.ca, token);

    starting.spawn(&binaries.etcd, flags::etcd(&files, ports))?;
    let etcd = client(ports.etcd(), None)?;
    starting.wait("an answer to /health", async || is_healthy(&etcd).await).await?;

    starting.spawn(&binaries.apiserver, flags::apiserver(&files, ports, options))?;
    let apiserver = client(ports.server(), Some(&token))?;
    starting.wait("200 from /readyz", async || apiserver.is_ok("/readyz").await).await?;
    for namespace in ["default", "kube-system"] {
        let path = format!("/api/v1/namespaces/{namespace}");
        starting.wait(&format!("namespace {namespace}"), async || apiserver.is_ok(&path).await).await?;
    }

    if let Some(program) = &binaries.controller_manager {
        starting.spawn(program, flags::controller_manager(&files, ports))?;
        let manager = client(ports.controller_manager(), None)?;
        starting.wait("200 from /healthz", async || manager.is_ok("/healthz").await).await?;
    }
    let children = starting.finish()?;
    let audit_log = options.audit.then(|| files.audit_log.clone());
    let Files { kubeconfig, ca, dir, .. } = files;
    Ok((children, Ready { kubeconfig, server: ports.server(), ca, admin_token: token, dir, audit_log }))
}

/// etcd answers 200 with `"false"` while it has no leader.
async fn is_healthy(etcd: &Admin) -> bool {
    etcd.get("/health").await.is_ok_and(|(_, body)| body["health"] == "true")
}

struct Starting<'a> {
    children: Vec<Child>,
    files: &'a Files,
}

impl Starting<'_> {
    fn spawn(&mut self, program: &std::path::Path, args: Vec<String>) -> Result<(), PlaneError> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let spec = Spec { program: program.to_owned(), args, log: self.files.log(&name), ..Spec::default() };
        self.children.push(Child::spawn(spec)?);
        Ok(())
    }

    /// Asks until the answer is yes and every process still runs: another's process may answer on a port that ours
    /// failed to get.
    async fn wait(&mut self, what: &str, ask: impl AsyncFn() -> bool) -> Result<(), PlaneError> {
        let deadline = Instant::now() + READY_MAX;
        loop {
            let yes = ask().await;
            for child in &mut self.children {
                child.check()?;
            }
            if yes {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(self.late(what));
            }
            sleep(READY_POLL).await;
        }
    }

    fn late(&self, what: &str) -> PlaneError {
        let last = self.children.last();
        PlaneError::NotReady {
            name: last.map_or_else(String::new, |child| child.name().to_owned()),
            seconds: READY_MAX.as_secs(),
            waiting_for: what.to_owned(),
            tail: last.map(Child::log_tail).unwrap_or_default(),
        }
    }

    fn finish(self) -> Result<Vec<Child>, PlaneError> {
        let processes: Vec<_> = self.children.iter().map(|child| (child.name(), child.pid())).collect();
        self.files.write_processes(&processes)?;
        Ok(self.children)
    }
}

/// All are held until all are found, so that they differ.
fn free_ports() -> Result<Ports, PlaneError> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(PlaneError::Ports);
    let held = [bind()?, bind()?, bind()?, bind()?];
    let port = |index: usize| held[index].local_addr().map(|address| address.port()).map_err(PlaneError::Ports);
    Ok(Ports { etcd_client: port(0)?, etcd_peer: port(1)?, apiserver: port(2)?, controller_manager: port(3)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn only_a_taken_port_is_worth_another_try() {
        let exited = |tail: &str| ChildError::Exited {
            name: "etcd".into(),
            status: std::process::ExitStatus::from_raw(256),
            tail: tail.into(),
        };
        assert!(is_port_taken(&exited("listen tcp 127.0.0.1:1: bind: address already in use")));
        assert!(!is_port_taken(&exited("unknown flag: --nonsense")));
    }
}
