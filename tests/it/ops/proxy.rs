//! Behind a proxy: what goes through it, and what does not.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::stack::read::{condition, is_ready};
use crate::stack::rig::Rig;

/// A proxy on the loopback that writes down whom it was asked for. It ends when dropped.
struct Proxy {
    url: String,
    asked: Arc<Mutex<BTreeSet<String>>>,
    /// Whether it lets anybody through.
    open: Arc<AtomicBool>,
    serving: JoinHandle<()>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Named otherwise than the API server, so that an exemption of the one is none of the other.
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let (asked, open) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let serving = tokio::spawn(serve(listener, Arc::clone(&asked), open.clone()));
        Self { url, asked, open, serving }
    }

    fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The variables of a process that is to use it, in both spellings, so that none of this machine's own is left.
    fn environment(&self, exempt: &str) -> Vec<(String, String)> {
        let set = [("HTTPS_PROXY", self.url.as_str()), ("HTTP_PROXY", &self.url), ("NO_PROXY", exempt)];
        let both = set.iter().flat_map(|(name, value)| [(name.to_string(), value), (name.to_lowercase(), value)]);
        both.map(|(name, value)| (name, (*value).to_owned())).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, asked: Arc<Mutex<BTreeSet<String>>>, open: Arc<AtomicBool>) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(tunnel(socket, asked.clone(), open.clone()));
    }
}

async fn tunnel(socket: TcpStream, asked: Arc<Mutex<BTreeSet<String>>>, open: Arc<AtomicBool>) -> Option<()> {
    let mut socket = BufReader::new(socket);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if socket.read_line(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    let target = request.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    asked.lock().unwrap().insert(target.clone());
    if !open.load(Ordering::Relaxed) {
        return socket.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await.ok();
    }
    let mut upstream = TcpStream::connect(target).await.ok()?;
    socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    tokio::io::copy_bidirectional(&mut socket, &mut upstream).await.ok().map(|_| ())
}

/// Host and port of an address, as a proxy is asked for them.
fn authority(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_and_login_go_through_the_proxy_and_the_api_server_does_not_where_no_proxy_says_so() {
    let (proxy, mut rig) = (Proxy::start().await, Rig::idle().await);
    let (graph, server) = (authority(&rig.simulator.ready().url), authority(&rig.plane.ready().server));
    rig.more_env = proxy.environment(server.split(':').next().unwrap());
    rig.start_operator();
    rig.apply_sync_job("box", &[]).await;
    let refused = |object: &Value| condition(object, "Reconciling")["reason"] == "LoginUnavailable";
    rig.until("box", "cannot log in", refused).await;
    assert_eq!(rig.control.calls().await.unwrap()["value"], Value::Array(Vec::new()), "a way around the proxy");

    proxy.open.store(true, Ordering::Relaxed);
    rig.until("box", "is ready", is_ready).await;
    assert_eq!(proxy.asked(), BTreeSet::from([graph]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_exemption_the_api_server_is_reached_through_the_proxy_too() {
    let (proxy, mut rig) = (Proxy::start().await, Rig::idle().await);
    let expected = [authority(&rig.simulator.ready().url), authority(&rig.plane.ready().server)];
    proxy.open.store(true, Ordering::Relaxed);
    rig.more_env = proxy.environment("");
    rig.start_operator();
    rig.apply_sync_job("box", &[]).await;
    rig.until("box", "is ready", is_ready).await;
    assert_eq!(proxy.asked(), BTreeSet::from(expected));
}
