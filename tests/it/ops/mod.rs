//! What an operator is to those who run it: one of several at work, probes, metrics.

mod as_rendered;
mod gitops;
mod leader;
mod metrics;
mod probes;
mod proxy;
mod rights;
mod secure;
mod state_metrics;
mod traces;
mod upgrade;

use std::net::TcpListener;

use tokio::sync::Mutex;

/// There is one lease, because the operator's role names it; whoever elects a leader holds this meanwhile.
static LEASE: Mutex<()> = Mutex::const_new(());

/// A port that was free a moment ago, on the loopback.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Status and body of a plain GET; `None` if nobody answers.
async fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(format!("http://{address}{path}")).send();
    let answer = answer.await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}
