//! `bed demo`: one `SyncJob` from a manifest to a job, on a control plane and a Graph made for the occasion.

mod kubectl;
mod show;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::child::{Child, ChildError, Spec};
use crate::graph::{self, Simulator};
use crate::plane::admin::Admin;
use crate::plane::{Plane, PlaneError, PlaneOptions};
use crate::signals::Signals;
use crate::tools::{self, Tool, ToolError};
use kubectl::{Kubectl, KubectlError};

const JOB_MAX: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(200);
const STOP_GRACE: Duration = Duration::from_secs(10);
const SYNC_JOB: &str = "/apis/entrain.dev/v1alpha1/namespaces/default/syncjobs/demo";

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The `entrain` binary.
    #[arg(long)]
    operator: PathBuf,
    /// Exit when the table was shown, instead of waiting for Ctrl-C; 0 only if the job id was in it.
    #[arg(long)]
    once: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("'{}' is missing; `make demo` builds it", .0.display())]
    NoOperator(PathBuf),
    #[error(transparent)]
    Plane(#[from] PlaneError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Child(#[from] ChildError),
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
    #[error("the Graph simulator did not start: {0}")]
    Simulator(#[from] graph::StartError),
    #[error("the Graph simulator holds no tenant to show things with")]
    NoDemoTenant,
    /// `state` is what the `SyncJob` said of itself, `tail` the end of the operator's log.
    #[error("there was no job within {seconds} s. The SyncJob says: {state}\nThe end of the operator's log:\n{tail}")]
    NoJob { seconds: u64, state: String, tail: String },
    #[error("interrupted before there was a job")]
    Interrupted,
    #[error("the job {0} is not in the table")]
    NotShown(String),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Everything that runs. The order is the order of the end.
struct Stage {
    operator: Child,
    kubectl: Kubectl,
    simulator: Simulator,
    tenant: graph::Demo,
    plane: Plane,
    manifest: PathBuf,
    dir: TempDir,
}

/// Runs until Ctrl-C, or with `once` until the table was shown; takes everything down again.
pub async fn run(args: Args) -> Result<(), DemoError> {
    let mut signals = Signals::new()?;
    let mut stage = tokio::select! {
        stage = set_up(&args.operator) => stage?,
        () = signals.next() => return interrupted(args.once),
    };
    let outcome = tokio::select! {
        outcome = play(&mut stage, args.once) => outcome,
        () = signals.next() => interrupted(args.once),
    };
    println!("\nCleaning up …");
    tokio::select! {
        cleared = clear(stage) => outcome.and(cleared),
        // Dropped, everything is killed.
        () = signals.next() => outcome,
    }
}

/// Ctrl-C is how the demo ends, unless somebody counts on its exit code.
fn interrupted(once: bool) -> Result<(), DemoError> {
    if once { Err(DemoError::Interrupted) } else { Ok(()) }
}

async fn set_up(operator: &Path) -> Result<Stage, DemoError> {
    let operator = operator.canonicalize().map_err(|_| DemoError::NoOperator(operator.to_owned()))?;
    let kubectl = tokio::task::spawn_blocking(|| tools::ensure(Tool::Kubectl)).await.map_err(io::Error::other)??;
    let dir = tempfile::Builder::new().prefix("entrain-demo-").tempdir()?;

    println!("Starting a control plane (etcd and kube-apiserver) …");
    let options = PlaneOptions { dir: Some(dir.path().join("plane")), ..PlaneOptions::default() };
    let plane = Plane::start(options).await?;
    let kubectl = Kubectl::new(kubectl, plane.ready().kubeconfig.clone(), dir.path().join("kubectl-cache"));

    println!("Starting a simulator of Microsoft Graph …");
    let simulator = simulator(&dir.path().join("graph")).await?;
    let tenant = simulator.ready().demo.clone().ok_or(DemoError::NoDemoTenant)?;

    println!("Installing the CustomResourceDefinitions …");
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
    kubectl.run(&["apply", "--server-side", "-f", &crds.to_string_lossy()]).await?;
    kubectl.run(&["wait", "--for=condition=Established", "--timeout=30s", "crd", "--all"]).await?;

    println!("Starting the operator …");
    let log = dir.path().join("operator.log");
    let operator = Child::spawn(operator_spec(operator, log, simulator.ready(), &tenant, &plane.ready().kubeconfig))?;
    let manifest = dir.path().join("syncjob.yaml");
    Ok(Stage { operator, kubectl, simulator, tenant, plane, manifest, dir })
}

async fn simulator(dir: &Path) -> Result<Simulator, DemoError> {
    let options = graph::Options { listen: ([127, 0, 0, 1], 0).into(), seed: None, dir: Some(dir.to_owned()) };
    Ok(Simulator::start(options).await?)
}

fn operator_spec(
    program: PathBuf,
    log: PathBuf,
    graph: &graph::Ready,
    tenant: &graph::Demo,
    kubeconfig: &Path,
) -> Spec {
    let (url, ca) = (graph.url.clone(), graph.ca.display().to_string());
    let env = [
        ("KUBECONFIG", kubeconfig.display().to_string()),
        ("AZURE_TENANT_ID", tenant.tenant_id.clone()),
        ("AZURE_CLIENT_ID", tenant.client_id.clone()),
        ("AZURE_CLIENT_SECRET", tenant.client_secret.clone()),
        ("AZURE_AUTHORITY_HOST", graph.login.clone()),
        ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ("no_proxy", "127.0.0.1,localhost".to_owned()),
    ];
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    Spec {
        program,
        args: ["operator", "--graph-url", &url, "--ca-file", &ca].map(str::to_owned).to_vec(),
        env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        // The demo must not pick up credentials or settings that the user keeps for real work.
        unset: names.filter(|name| name.starts_with("AZURE_") || name.starts_with("ENTRAIN_")).collect(),
        log,
    }
}

async fn play(stage: &mut Stage, once: bool) -> Result<(), DemoError> {
    let manifest = show::manifest(&stage.tenant);
    std::fs::write(&stage.manifest, &manifest)?;
    println!("Applying this SyncJob:\n\n{}\n", show::indented(&manifest));
    stage.kubectl.run(&["apply", "-f", &stage.manifest.to_string_lossy()]).await?;

    println!("Waiting for the job …\n");
    let job_id = job_id(stage).await?;
    let table = stage.kubectl.run(&["get", "syncjobs"]).await?;
    println!("$ kubectl get syncjobs\n{table}");
    if !table.contains(&job_id) {
        return Err(DemoError::NotShown(job_id));
    }
    println!("Graph has created the job {job_id} and runs it.");
    if once {
        return Ok(());
    }
    println!("{}", show::what_next(stage));
    let Stage { plane, operator, .. } = stage;
    tokio::select! {
        error = plane.died() => Err(error.into()),
        error = ended(operator) => Err(error.into()),
    }
}

async fn ended(operator: &mut Child) -> ChildError {
    loop {
        if let Err(error) = operator.check() {
            return error;
        }
        sleep(POLL).await;
    }
}

/// The id of the job once the `SyncJob` is Ready.
async fn job_id(stage: &mut Stage) -> Result<String, DemoError> {
    let admin = Admin::new(stage.plane.ready())?;
    let deadline = Instant::now() + JOB_MAX;
    loop {
        stage.operator.check()?;
        let sync_job = admin.get(SYNC_JOB).await.map_or(Value::Null, |(_, body)| body);
        match (sync_job["status"]["jobId"].as_str(), ready(&sync_job)) {
            (Some(id), Some("True")) => return Ok(id.to_owned()),
            _ if Instant::now() >= deadline => {
                let tail = stage.operator.log_tail();
                return Err(DemoError::NoJob { seconds: JOB_MAX.as_secs(), state: show::conditions(&sync_job), tail });
            }
            _ => sleep(POLL).await,
        }
    }
}

fn ready(sync_job: &Value) -> Option<&str> {
    let conditions = sync_job["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == "Ready")?["status"].as_str()
}

async fn clear(stage: Stage) -> Result<(), DemoError> {
    let Stage { mut operator, simulator, plane, dir, .. } = stage;
    operator.stop(STOP_GRACE).await?;
    drop(simulator);
    plane.stop().await?;
    dir.close()?;
    Ok(())
}
