//! The command line and its environment, parsed once.

mod connection;
mod import;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::plan::{Settings, Without};

pub use connection::{Caller, CloudAddress, CloudAudience, CloudName, Connection};
pub use import::{Import, ImportMode};

/// Microsoft Entra ID provisioning jobs as Kubernetes resources.
#[derive(Parser, Debug)]
#[command(name = "entrain", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// No window is longer: a number that is meant as milliseconds is refused, and no instant overflows.
const A_DAY: u64 = 86_400;

/// A pass over one SyncJob begins no step after 60 s, and no step takes longer than that.
pub const SETTLE_WINDOW_SECONDS_MIN: u64 = 120;
/// Provisioning data of a restored service principal returns within a day (`delete-recover-faq` of the Entra documentation).
pub const RECREATE_AFTER_SECONDS_MIN: u64 = A_DAY;

/// kubectl runs a program of this name as its subcommand `entrain`.
const PLUGIN: &str = "kubectl-entrain";

impl Cli {
    /// Parses a command line, the program first. Help and errors show the name under which it was called.
    pub fn parse_as_called(line: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut line = line.into_iter().peekable();
        let mut command = Self::command();
        if line.peek().is_some_and(|program| Path::new(program).file_name().is_some_and(|name| name == PLUGIN)) {
            command = command.bin_name(PLUGIN.replace('-', " "));
        }
        let mut matches = command.try_get_matches_from_mut(line)?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the controller.
    Operator(Box<Operator>),
    /// Show what SyncJobs in files would change in the tenant. Only reads, and needs no cluster: for pull requests.
    ///
    /// Logs in as the application that AZURE_TENANT_ID, AZURE_CLIENT_ID and either AZURE_CLIENT_SECRET or
    /// AZURE_FEDERATED_TOKEN_FILE name; without one of the last two as the person who is logged in to the Azure CLI or
    /// the Azure Developer CLI, in the tenant of AZURE_TENANT_ID or else their own.
    Plan(Box<Plan>),
    /// Write SyncJobs for the jobs that a tenant has. Applied as they are, they change nothing. Only reads, and needs no
    /// cluster.
    ///
    /// Logs in as `plan` does.
    Import(Box<Import>),
    /// Print the CustomResourceDefinitions as YAML.
    Crd,
}

#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Settings of the controller. Credentials come from `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and either
/// `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN_FILE`; the cluster from the usual kubeconfig or the pod.
#[derive(Args, Debug)]
pub struct Operator {
    #[command(flatten)]
    pub connection: Connection,
    /// A namespace whose SyncJobs are reconciled; may be given several times, in the environment separated by commas.
    /// All namespaces by default. Another SyncJob for the same job is found in these namespaces only.
    #[arg(long = "watch-namespace", env = "ENTRAIN_WATCH_NAMESPACES", value_name = "NAMESPACE", value_delimiter = ',')]
    pub watch_namespaces: Vec<String>,
    /// Which kinds of tenants are worked on: `namespaced` for EntraTenants, `cluster` for ClusterEntraTenants. None by default.
    /// Each needs the right to read the Secrets and ServiceAccounts that its tenants name.
    #[arg(long, env = "ENTRAIN_TENANTS", value_enum, value_name = "KIND", value_delimiter = ',')]
    pub tenants: Vec<TenantScope>,
    /// Whether SyncJobs that name no tenant use the login of the operator's own environment.
    #[arg(long, env = "ENTRAIN_OPERATOR_LOGIN", value_name = "true|false", default_value_t = true, action = clap::ArgAction::Set)]
    pub operator_login: bool,
    /// A namespace whose SyncJobs may use that login; may be given several times, in the environment separated by commas. All
    /// namespaces by default.
    #[arg(
        long = "operator-login-namespace",
        env = "ENTRAIN_OPERATOR_LOGIN_NAMESPACES",
        value_name = "NAMESPACE",
        value_delimiter = ','
    )]
    pub operator_login_namespaces: Vec<String>,
    /// The namespace that holds the Secrets and ServiceAccounts of ClusterEntraTenants and the operator's own Secret
    /// `entrain-fingerprint`; by default the operator's own.
    #[arg(long, env = "ENTRAIN_OPERATOR_NAMESPACE", value_name = "NAMESPACE")]
    pub operator_namespace: Option<String>,
    /// Watch the metadata of all Secrets in the watched namespaces, so that the rotation of a job's credentials is noticed
    /// within seconds and not at the next poll. The content is still read of those only that a SyncJob names. Needs the
    /// right to list and watch Secrets, with which the content of all of them could be read.
    #[arg(long, env = "ENTRAIN_WATCH_SECRETS")]
    pub watch_secrets: bool,
    /// How many SyncJobs are reconciled at the same time.
    #[arg(long, env = "ENTRAIN_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// How many requests to Microsoft Graph may be in flight at the same time.
    #[arg(long, env = "ENTRAIN_GRAPH_IN_FLIGHT_MAX", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub graph_in_flight_max: u16,
    /// How long the operator waits for an unanswered create request to take effect before it may send another; at least 120.
    #[arg(long, env = "ENTRAIN_SETTLE_WINDOW_SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(0..=A_DAY))]
    pub settle_window_seconds: u64,
    /// How long after its creation a job that Graph does not list counts as not yet visible.
    #[arg(long, env = "ENTRAIN_MISSING_GRACE_SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(0..=A_DAY))]
    pub missing_grace_seconds: u64,
    /// For tests only: how long a job must have been missing before it is replaced, and before the deletion of a SyncJob
    /// stops waiting for the job of a restored service principal.
    #[arg(long, default_value_t = A_DAY, value_parser = clap::value_parser!(u64).range(0..=A_DAY), hide = true)]
    pub recreate_after_seconds: u64,
    /// How long a missing permission or a refused login may last before the SyncJob is Stalled.
    #[arg(long, env = "ENTRAIN_STALLED_GRACE_SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(0..=A_DAY))]
    pub stalled_grace_seconds: u64,
    /// Minimum interval between retries of errors that need human action.
    #[arg(long, env = "ENTRAIN_SLOW_RETRY_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=A_DAY))]
    pub slow_retry_seconds: u64,
    /// How long the deletion of a SyncJob waits for a login in a namespace that is itself being deleted; then the job is left
    /// in Entra ID, and the Event `JobLeftBehind` reports it.
    #[arg(long, env = "ENTRAIN_LEFT_BEHIND_AFTER_SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=A_DAY))]
    pub left_behind_after_seconds: u64,
    /// How long a pass over one SyncJob may take before `/livez` fails. Its calls have time limits, so that only a defect
    /// of the operator can exceed this.
    #[arg(long, env = "ENTRAIN_STUCK_AFTER_SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=A_DAY))]
    pub stuck_after_seconds: u64,
    /// For tests only: accept windows that are shorter than the longest time for which a request may be in flight.
    /// Two operators, or one that restarts, may then create a second job.
    #[arg(long, env = "ENTRAIN_UNSAFE_SHORT_WINDOWS", hide = true)]
    pub unsafe_short_windows: bool,
    #[command(flatten)]
    pub election: Election,
    #[command(flatten)]
    pub metrics: MetricsServer,
    /// Address on which `/livez` and `/readyz` are served; not served by default.
    #[arg(long, env = "ENTRAIN_HEALTH_BIND_ADDRESS", value_name = "ADDRESS:PORT")]
    pub health_bind_address: Option<SocketAddr>,
    #[arg(long, env = "ENTRAIN_LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// A kind of tenant.
#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub enum TenantScope {
    Namespaced,
    Cluster,
}

/// Where and how metrics are served. The names are those of kubebuilder's operators.
#[derive(Args, Debug)]
pub struct MetricsServer {
    /// Address on which `/metrics` is served; not served by default.
    #[arg(long, env = "ENTRAIN_METRICS_BIND_ADDRESS", value_name = "ADDRESS:PORT")]
    pub metrics_bind_address: Option<SocketAddr>,
    /// Serve over HTTPS, and only to callers whose bearer token the API server accepts and who may `get` the path `/metrics`.
    /// The operator then needs the right to create TokenReviews and SubjectAccessReviews.
    #[arg(long, env = "ENTRAIN_METRICS_SECURE")]
    pub metrics_secure: bool,
    /// A directory with the certificate, which is read again when it changes. By default a self-signed certificate is
    /// generated at startup.
    #[arg(long, env = "ENTRAIN_METRICS_CERT_PATH", requires = "metrics_secure", value_name = "DIRECTORY")]
    pub metrics_cert_path: Option<PathBuf>,
    /// The file in it with the certificate and its chain, as PEM.
    #[arg(long, env = "ENTRAIN_METRICS_CERT_NAME", default_value = "tls.crt", value_name = "FILE")]
    pub metrics_cert_name: PathBuf,
    /// The file in it with the key, as PEM.
    #[arg(long, env = "ENTRAIN_METRICS_CERT_KEY", default_value = "tls.key", value_name = "FILE")]
    pub metrics_cert_key: PathBuf,
}

/// Which of several operators is active.
#[derive(Args, Debug)]
pub struct Election {
    /// Reconcile only while holding a Lease; needed as soon as there may be two operators, even if only during an update.
    #[arg(long, env = "ENTRAIN_LEADER_ELECT")]
    pub leader_elect: bool,
    /// Namespace of the Lease; by default the operator's own.
    #[arg(long, env = "ENTRAIN_LEADER_ELECTION_NAMESPACE")]
    pub leader_election_namespace: Option<String>,
    /// Name of the Lease.
    #[arg(long, env = "ENTRAIN_LEADER_ELECTION_ID", default_value = "entrain")]
    pub leader_election_id: String,
    /// How long others respect a Lease that is not renewed. No write to Graph begins in its last ten seconds.
    #[arg(long, env = "ENTRAIN_LEASE_DURATION_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(15..=600))]
    pub lease_duration_seconds: u64,
    /// How long a holder that cannot renew the Lease continues before it exits.
    #[arg(long, env = "ENTRAIN_LEASE_RENEW_DEADLINE_SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..=600))]
    pub lease_renew_deadline_seconds: u64,
    /// How often a holder renews the Lease and a candidate reads it.
    #[arg(long, env = "ENTRAIN_LEASE_RETRY_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub lease_retry_seconds: u64,
}

const PLAN_HELP: &str = "\
Exit codes:
  0  nothing would change
  2  something would change
  1  an error: a manifest, the login, or a SyncJob that cannot be planned; wins over 2

Permissions:
  An application needs Synchronization.Read.All and Application.Read.All, or what the operator has.
  A person needs these as delegated permissions (or Synchronization.ReadWrite.All instead of the first) and one of the
  roles Application Administrator, Cloud Application Administrator, Hybrid Identity Administrator.";

/// Settings of `entrain plan`.
#[derive(Args, Debug)]
#[command(after_help = PLAN_HELP)]
pub struct Plan {
    /// A file, a directory (searched for *.yaml, *.yml and *.json), or `-` for standard input. May be repeated.
    #[arg(short = 'f', long = "filename", value_name = "PATH", required = true)]
    pub filenames: Vec<PathBuf>,
    /// How the plan is printed.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: Output,
    /// Who logs in; by default the environment decides.
    #[arg(long = "as", value_name = "WHO", value_enum)]
    pub caller: Option<Caller>,
    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub enum Output {
    Text,
    Json,
}

impl Operator {
    pub fn stuck_after(&self) -> Duration {
        Duration::from_secs(self.stuck_after_seconds)
    }

    pub fn settings(&self) -> Settings {
        Settings {
            without: Without::default(),
            settle_window: Duration::from_secs(self.settle_window_seconds),
            missing_grace: Duration::from_secs(self.missing_grace_seconds),
            recreate_after: Duration::from_secs(self.recreate_after_seconds),
            stalled_grace: Duration::from_secs(self.stalled_grace_seconds),
            slow_retry: Duration::from_secs(self.slow_retry_seconds),
            left_behind_after: Duration::from_secs(self.left_behind_after_seconds),
        }
    }
}
