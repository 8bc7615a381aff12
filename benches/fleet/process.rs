//! What a process uses, as the kernel counts it; and the operator as one.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bed::child::{Child, Spec};
use tokio::time::{Duration, Instant, sleep};

/// The kernel counts processor time in these, on every system that has /proc.
const TICKS: f64 = 100.0;

/// A line of /proc/PID/status in KiB: `VmRSS` now, `VmHWM` at most.
fn status(pid: u32, name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
}

/// MiB that are resident.
pub fn resident(pid: u32) -> f64 {
    status(pid, "VmRSS") / 1024.0
}

/// MiB that were resident at most, since the start or since [`forget_peak`].
pub fn peak(pid: u32) -> f64 {
    status(pid, "VmHWM") / 1024.0
}

pub fn forget_peak(pid: u32) {
    let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Seconds of processor time so far.
pub fn cpu(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program is in parentheses and may hold blanks.
    let fields: Vec<f64> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().filter_map(|field| field.parse().ok()).collect();
    // Without the state, which is a letter, user and system time are the 11th and 12th of the rest.
    fields.get(10..12).map_or(f64::NAN, |times| times.iter().sum::<f64>() / TICKS)
}

/// The operator that is measured, where it is another one than cargo built with the bench.
pub static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// The release build of the operator as a child of the bench.
pub struct Operator {
    child: Child,
    pub started: Instant,
    metrics: String,
}

impl Operator {
    pub fn start(kubeconfig: &Path, graph: &bed::graph::Ready, log: &Path) -> Self {
        let metrics = free_address();
        let ca = graph.ca.display().to_string();
        let args = ["operator", "--graph-url", &graph.url, "--ca-file", &ca, "--metrics-bind-address", &metrics];
        let more = ["--tenants=namespaced", "--operator-login=false", "--operator-namespace=entrain-system"];
        let proxy = ["NO_PROXY", "no_proxy"].map(|name| (name.to_owned(), "127.0.0.1,localhost".to_owned()));
        let own = [("KUBECONFIG", kubeconfig.display().to_string()), ("AZURE_AUTHORITY_HOST", graph.login.clone())];
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let spec = Spec {
            program: PROGRAM.get().cloned().unwrap_or_else(|| env!("CARGO_BIN_EXE_entrain").into()),
            args: args.into_iter().chain(more).map(str::to_owned).collect(),
            env: own.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(proxy).collect(),
            unset: names
                .filter(|name| ["AZURE_", "ENTRAIN_", "OTEL_"].iter().any(|mine| name.starts_with(mine)))
                .collect(),
            log: log.to_owned(),
        };
        Self { started: Instant::now(), child: Child::spawn(spec).unwrap(), metrics }
    }

    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Ends the bench with the end of its log if it no longer runs.
    pub fn lives(&mut self) {
        self.child.check().unwrap();
    }

    pub fn log_tail(&self) -> String {
        self.child.log_tail()
    }

    pub async fn stop(mut self) {
        self.child.stop(Duration::from_secs(20)).await.unwrap();
    }

    /// A number of its own metrics, added up over the series whose labels contain this text.
    pub async fn metric(&self, name: &str, labels: &str) -> f64 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let text = client.get(format!("http://{}/metrics", self.metrics)).send().await.unwrap().text().await.unwrap();
        let of = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, rest) = series.split_once('{').unwrap_or((series, ""));
            (found == name && rest.contains(labels)).then(|| value.parse::<f64>().ok())?
        };
        text.lines().filter_map(of).sum()
    }
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Seconds since the epoch, as the simulator's log has them.
#[expect(clippy::disallowed_methods, reason = "it is compared with the clock of another process")]
pub fn epoch() -> f64 {
    jiff::Timestamp::now().as_duration().as_secs_f64()
}

/// Waits, and says every few seconds how far it is.
pub async fn progress(what: &str, seconds: u64) {
    for passed in (0..seconds).step_by(10) {
        if passed > 0 {
            eprintln!("  {what}: {passed} of {seconds} s");
        }
        sleep(Duration::from_secs((seconds - passed).min(10))).await;
    }
}
