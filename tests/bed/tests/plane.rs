//! Real planes: side by side, and gone when their owner is. The binaries are built if the machine has none.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::process::{Command, Stdio};

use bed::plane::admin::Admin;
use bed::plane::owned::OwnedPlane;
use bed::plane::{Plane, PlaneError, PlaneOptions, Ready};
use bed::test_support::{alive, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn bed() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bed"))
}

fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

/// The processes of a plane by its own account.
fn processes(ready: &Ready) -> Vec<u32> {
    let text = std::fs::read_to_string(ready.dir.join("processes.json")).unwrap();
    let map: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
    map.values().map(|pid| u32::try_from(pid.as_u64().unwrap()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_planes_run_side_by_side_and_leave_nothing() {
    let chosen = tempfile::tempdir().unwrap();
    let options = PlaneOptions { dir: Some(chosen.path().to_owned()), audit: true, ..PlaneOptions::default() };
    let (first, second) = tokio::join!(Plane::start(PlaneOptions::default()), Plane::start(options.clone()));
    let (first, second) = (first.unwrap(), second.unwrap());
    let pids = [first.pids(), second.pids()].concat();
    assert!(pids.len() == 4 && pids.iter().all(|&pid| alive(pid)), "{pids:?}");

    for (plane, name) in [(&first, "one"), (&second, "two")] {
        let admin = Admin::new(plane.ready()).unwrap();
        let (status, _) = admin.send(Method::POST, "/api/v1/namespaces", Some(&namespace(name))).await.unwrap();
        assert_eq!(status, StatusCode::CREATED);
    }
    let admin = Admin::new(first.ready()).unwrap();
    assert_eq!(admin.get("/api/v1/namespaces/one").await.unwrap().0, StatusCode::OK);
    assert_eq!(admin.get("/api/v1/namespaces/two").await.unwrap().0, StatusCode::NOT_FOUND);
    assert_eq!(admin.get("/version").await.unwrap().1["major"], "1");
    audit_shows_a_secret_but_not_a_namespace(second.ready()).await;

    let (kept, removed) = (second.ready().dir.clone(), first.ready().dir.clone());
    assert!(matches!(Plane::start(options).await, Err(PlaneError::InUse(_))));
    first.stop().await.unwrap();
    drop(second);
    assert_eq!(pids.iter().filter(|&&pid| alive(pid)).count(), 0, "{pids:?}");
    assert!(!removed.exists() && kept.join("logs/kube-apiserver.log").exists());
}

async fn audit_shows_a_secret_but_not_a_namespace(ready: &Ready) {
    let admin = Admin::new(ready).unwrap();
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "audited" }, "data": {} });
    admin.send(Method::POST, "/api/v1/namespaces/default/secrets", Some(&secret)).await.unwrap();
    let log = std::fs::read_to_string(ready.audit_log.as_ref().unwrap()).unwrap();
    let seen = |verb: &str, resource: &str| {
        let event = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        log.lines().map(event).any(|event| event["verb"] == verb && event["objectRef"]["resource"] == resource)
    };
    assert!(seen("create", "secrets") && !seen("create", "namespaces"), "{log}");
}

#[test]
fn an_owned_plane_ends_with_the_pipe() {
    let plane = OwnedPlane::start(bed(), &[]).unwrap();
    let (ready, bed) = (plane.ready().clone(), plane.pid());
    let pids = processes(&ready);
    assert!(pids.len() == 2 && pids.iter().chain([&bed]).all(|&pid| alive(pid)), "{pids:?}");
    drop(plane);
    assert!(pids.iter().chain([&bed]).all(|&pid| !alive(pid)), "{pids:?}");
    assert!(!ready.dir.exists());
}

/// Runs `bed plane` and gives the process and what it printed.
fn foreground(dir: &Path) -> (std::process::Child, Ready) {
    use std::io::{BufRead, BufReader};
    let mut command = Command::new(bed());
    command.args(["plane", "--dir"]).arg(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (process, serde_json::from_str(&line).unwrap())
}

fn send(pid: u32, signal: nix::sys::signal::Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.cast_signed()), signal).unwrap();
}

#[test]
fn bed_plane_ends_on_a_signal_and_even_when_it_is_killed() {
    use nix::sys::signal::Signal;
    let dir = tempfile::tempdir().unwrap();
    for (signal, code) in [(Signal::SIGINT, Some(0)), (Signal::SIGKILL, None)] {
        let (mut process, ready) = foreground(dir.path());
        assert_eq!(ready.dir, dir.path().canonicalize().unwrap());
        let pids = processes(&ready);
        send(process.id(), signal);
        assert_eq!(process.wait().unwrap().code(), code);
        eventually("the end of the plane's processes", || pids.iter().all(|&pid| !alive(pid)).then_some(()));
    }
}

#[test]
fn a_second_signal_ends_a_plane_that_is_slow_to_stop() {
    use nix::sys::signal::Signal;
    let dir = tempfile::tempdir().unwrap();
    let (mut process, ready) = foreground(dir.path());
    let pids = processes(&ready);
    // Stopped processes do not react to TERM, so the plane would wait for its whole grace period.
    for &pid in &pids {
        send(pid, Signal::SIGSTOP);
    }
    send(process.id(), Signal::SIGINT);
    let started = std::time::Instant::now();
    // One signal that arrives before the first was taken would be merged with it, hence more than one.
    let status = eventually("the end of bed", || {
        send(process.id(), Signal::SIGINT);
        process.try_wait().unwrap()
    });
    assert!(status.success() && started.elapsed().as_secs() < 4, "{status} after {:?}", started.elapsed());
    assert!(pids.iter().all(|&pid| !alive(pid)), "{pids:?}");
}

#[test]
fn a_plane_that_loses_a_process_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (process, ready) = foreground(dir.path());
    send(processes(&ready)[0], nix::sys::signal::Signal::SIGKILL);
    let output = process.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("etcd ended by itself (signal: 9"), "{message}");
}

#[test]
fn a_bad_argument_fails_at_once_with_the_servers_own_words() {
    let output = Command::new(bed()).args(["plane", "--apiserver-arg", "--no-such-flag"]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("kube-apiserver ended by itself") && message.contains("no-such-flag"), "{message}");
}
