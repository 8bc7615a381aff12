//! What an operator is to those who run it: one of several at work, probes, metrics.

mod as_rendered;
mod gitops;
mod leader;
mod metrics;
mod namespace;
mod probes;
mod proxy;
mod rights;
pub mod scrape;
mod secure;
mod series;
mod state_metrics;
mod traces;
mod upgrade;

use std::net::TcpListener;

use tokio::sync::Mutex;

pub use self::leader::ELECT;

/// There is one lease, because the operator's role names it; whoever elects a leader holds this meanwhile.
pub static LEASE: Mutex<()> = Mutex::const_new(());

/// A port that was free a moment ago, on the loopback.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Status and body of a plain GET; `None` if nobody answers.
pub async fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let answer = get_as(address, path, "*/*").await?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

/// The answer to a GET by somebody who wants it in a format.
async fn get_as(address: &str, path: &str, accept: &str) -> Option<reqwest::Response> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("http://{address}{path}")).header("accept", accept).send().await.ok()
}
