//! Traces over OTLP, when the standard variables say so.

use std::sync::{Arc, Mutex};

use regex::Regex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{free_address, get, get_as};
use crate::stack::rig::Rig;

/// A collector that keeps the bytes it is sent and says yes. Names travel readably in protobuf.
async fn collect(listener: TcpListener, kept: Arc<Mutex<Vec<u8>>>) {
    while let Ok((mut socket, _)) = listener.accept().await {
        let kept = kept.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; 65_536];
            while let Ok(count @ 1..) = socket.read(&mut buffer).await {
                kept.lock().unwrap().extend_from_slice(&buffer[..count]);
                if count < buffer.len() {
                    let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                }
            }
        });
    }
}

/// The traces that each histogram names, as the bytes of their ids; every one that can names some.
async fn exemplars(address: &str) -> Vec<(String, Vec<u8>)> {
    let text = get_as(address, "/metrics", "application/openmetrics-text").await.unwrap().text().await.unwrap();
    let exemplar = Regex::new(r#"(?m)^(\w+)_bucket\{.* # \{trace_id="([0-9a-f]{32})"\} [0-9.e-]+ [0-9.]+$"#).unwrap();
    let byte = |id: &str, at: usize| u8::from_str_radix(&id[at..at + 2], 16).unwrap();
    let named = exemplar.captures_iter(&text).map(|found| {
        let id = (0..32).step_by(2).map(|at| byte(&found[2], at)).collect();
        (found[1].to_owned(), id)
    });
    let named: Vec<(String, Vec<u8>)> = named.collect();
    for name in ["controller_runtime_reconcile_time_seconds", "entrain_graph_request_duration_seconds"] {
        assert!(named.iter().any(|(histogram, _)| histogram == name), "{name} names no trace:\n{text}");
    }
    named
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_joins_a_pass_and_its_calls_to_graph_and_holds_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let collector = tokio::spawn(collect(listener, kept.clone()));
    let mut rig = Rig::idle().await;
    rig.more_env = vec![("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("http://{address}"))];
    let metrics = free_address();
    rig.start_operator_with(&[&format!("--metrics-bind-address={metrics}")]);
    rig.running(&[]).await;
    let examples = exemplars(&metrics).await;
    let plain = get(&metrics, "/metrics").await.unwrap().1;
    assert!(!plain.contains("trace_id"), "Prometheus' own text format has no exemplars:\n{plain}");
    // What is left is sent at the end.
    assert_eq!(rig.stop_operator(std::time::Duration::from_secs(10)).await, Some(0), "{}", rig.operator_log());
    let sent = kept.lock().unwrap().clone();
    for (name, id) in &examples {
        assert!(sent.windows(id.len()).any(|window| window == id), "the trace {id:?} of {name} was not sent");
    }
    let sent = String::from_utf8_lossy(&sent).into_owned();
    for name in ["POST /v1/traces", "reconcile", "CreateJob", "StartJob", "service.name", "entrain", &rig.namespace] {
        assert!(sent.contains(name), "{name} is not among the {} bytes that were sent", sent.len());
    }
    assert!(!sent.contains(&rig.demo.client_secret) && !sent.contains("eyJ"), "a secret or a token is in a trace");
    collector.abort();
}
