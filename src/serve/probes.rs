//! `/livez` and `/readyz`, in the form in which the API server answers its own.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use url::form_urlencoded;

/// One check of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name in the output of `?verbose`.
    pub name: &'static str,
    pub passed: bool,
}

/// The checks behind the probes. A probe answers 200 if all of its checks passed.
pub trait Health: Send + Sync + 'static {
    /// Whether the process can go on; a failed check has it restarted. Never depends on Graph, the API server or leadership.
    fn live(&self) -> Vec<Check>;
    /// Whether the process has come up. Never depends on Graph or leadership.
    fn ready(&self) -> Vec<Check>;
}

/// Serves `/livez` and `/readyz` until dropped.
pub async fn probes(listener: TcpListener, health: Arc<impl Health>) -> io::Result<()> {
    let (live, ready) = (health.clone(), health);
    let router = Router::new()
        .route("/livez", get(async move |RawQuery(query)| answer("livez", &live.live(), is_verbose(query.as_deref()))))
        .route(
            "/readyz",
            get(async move |RawQuery(query)| answer("readyz", &ready.ready(), is_verbose(query.as_deref()))),
        );
    super::limited::limited(axum_server::from_tcp(listener.into_std()?)?).serve(router.into_make_service()).await
}

fn is_verbose(query: Option<&str>) -> bool {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "verbose")
}

/// A failure always lists every check, because that is when a person reads it.
fn answer(probe: &str, checks: &[Check], verbose: bool) -> (StatusCode, String) {
    let passed = checks.iter().all(|check| check.passed);
    if passed && !verbose {
        return (StatusCode::OK, "ok".to_owned());
    }
    let mut text = String::new();
    for Check { name, passed } in checks {
        let _ = writeln!(text, "{}", if *passed { format!("[+]{name} ok") } else { format!("[-]{name} failed") });
    }
    let (status, outcome) =
        if passed { (StatusCode::OK, "passed") } else { (StatusCode::SERVICE_UNAVAILABLE, "failed") };
    let _ = writeln!(text, "{probe} check {outcome}");
    (status, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Check = Check { name: "good", passed: true };
    const BAD: Check = Check { name: "bad", passed: false };

    #[test]
    fn all_is_well_in_one_word_or_by_name() {
        assert_eq!(answer("livez", &[GOOD], false), (StatusCode::OK, "ok".to_owned()));
        assert_eq!(answer("livez", &[GOOD], true), (StatusCode::OK, "[+]good ok\nlivez check passed\n".to_owned()));
    }

    #[test]
    fn one_failed_check_fails_the_probe_and_is_named_unasked() {
        let listed = "[+]good ok\n[-]bad failed\nreadyz check failed\n".to_owned();
        for verbose in [false, true] {
            assert_eq!(answer("readyz", &[GOOD, BAD], verbose), (StatusCode::SERVICE_UNAVAILABLE, listed.clone()));
        }
    }

    #[test]
    fn verbose_needs_no_value() {
        for (query, verbose) in
            [(None, false), (Some("verbose"), true), (Some("a=b&verbose=true"), true), (Some("verbosely"), false)]
        {
            assert_eq!(is_verbose(query), verbose, "{query:?}");
        }
    }
}
