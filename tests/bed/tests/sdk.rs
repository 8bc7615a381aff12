//! The simulator judged by a client that nobody here wrote: Microsoft's SDK for Python, unchanged, in pinned versions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bed::graph::{Control, Options, Simulator};
use serde_json::{Value, json};

const TELL_EVERY: Duration = Duration::from_secs(10);

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(file)
}

/// An interpreter that has the SDK. It is made once for each user, version of Python and list of packages.
fn interpreter() -> PathBuf {
    let version = Command::new("python3")
        .arg("--version")
        .output()
        .expect("python3 is needed for this test; install Python 3.10 or newer");
    let requirements = std::fs::read(here("requirements.txt")).unwrap();
    let hash = URL_SAFE_NO_PAD.encode(&digest(&SHA256, &[requirements, version.stdout].concat()).as_ref()[..12]);
    let cache = cache_root();
    let environment = cache.join(format!("msgraph-sdk-{hash}"));
    let python = environment.join("bin/python");
    if python.exists() {
        return python;
    }
    std::fs::create_dir_all(&cache).unwrap();
    // Made beside and moved when whole, so that an interrupted one is never taken for it.
    let unfinished = tempfile::Builder::new().prefix("msgraph-sdk-").tempdir_in(&cache).unwrap();
    run("creating an environment", Command::new("python3").args(["-m", "venv"]).arg(unfinished.path()));
    let mut install = Command::new(unfinished.path().join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
    run("installing Microsoft's SDK for Python", install.arg(here("requirements.txt")));
    if std::fs::rename(unfinished.keep(), &environment).is_err() {
        assert!(python.exists(), "'{}' could not be put in place", environment.display());
    }
    python
}

/// Where the tools of the control plane are kept too.
fn cache_root() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    base.expect("neither XDG_CACHE_HOME nor HOME is set, so there is no place for the SDK").join("entrain-bed")
}

/// Runs to the end; says now and then that it is still at it.
fn run(what: &str, command: &mut Command) {
    let (begun, mut told) = (Instant::now(), Duration::ZERO);
    eprintln!("{what} …");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{what} failed ({status})");
            return eprintln!("{what} took {} s", begun.elapsed().as_secs());
        }
        if begun.elapsed() >= told + TELL_EVERY {
            told = begun.elapsed();
            eprintln!("{what} … {} s", told.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn talk(python: &Path, simulator: &Simulator) -> Output {
    let ready = simulator.ready();
    Command::new(python)
        .arg(here("talk.py"))
        .env("READY", serde_json::to_string(ready).unwrap())
        .env("SSL_CERT_FILE", &ready.ca)
        .env("REQUESTS_CA_BUNDLE", &ready.ca)
        .env("NO_PROXY", "localhost")
        .env("no_proxy", "localhost")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn microsofts_sdk_lists_creates_starts_pauses_and_deletes_a_job() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let python = tokio::task::spawn_blocking(interpreter).await.unwrap();
    let (simulator, output) = tokio::task::spawn_blocking(move || {
        let output = talk(&python, &simulator);
        (simulator, output)
    })
    .await
    .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    eprintln!("importing the SDK took {} s", seen["importSeconds"]);

    let id = seen["created"]["id"].as_str().unwrap();
    assert_eq!(seen["templates"], json!(["BoxOutDelta", "scim"]));
    assert_eq!(seen["before"], json!([]));
    assert!(id.starts_with("BoxOutDelta."), "{id}");
    assert_eq!(seen["created"]["state"], json!(["Disabled", "Paused"]));
    assert_eq!(seen["listed"], json!([id]));
    assert_eq!(seen["started"], json!(["Active", "NotRun"]));
    assert_eq!(seen["paused"], json!(["Paused", "Paused"]));
    assert_eq!(seen["rules"], 1);
    assert_eq!(seen["afterDelete"], json!([404, "ResourceNotFound"]));

    let ledger = Control::new(simulator.ready()).unwrap().ledger().await.unwrap();
    let done: Vec<&str> =
        ledger["value"].as_array().unwrap().iter().map(|entry| entry["operation"].as_str().unwrap()).collect();
    assert_eq!(done, ["createJob", "startJob", "pauseJob", "deleteJob"]);
    assert!(ledger["value"].as_array().unwrap().iter().all(|entry| entry["jobId"] == id));
}
