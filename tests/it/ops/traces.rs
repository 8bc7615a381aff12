//! Traces over OTLP, when the standard variables say so.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_joins_a_pass_and_its_calls_to_graph_and_holds_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let collector = tokio::spawn(collect(listener, kept.clone()));
    let mut rig = Rig::idle().await;
    rig.more_env = vec![("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("http://{address}"))];
    rig.start_operator();
    rig.running(&[]).await;
    // What is left is sent at the end.
    assert_eq!(rig.stop_operator(std::time::Duration::from_secs(10)).await, Some(0), "{}", rig.operator_log());
    let sent = String::from_utf8_lossy(&kept.lock().unwrap()).into_owned();
    for name in ["POST /v1/traces", "reconcile", "CreateJob", "StartJob", "service.name", "entrain", &rig.namespace] {
        assert!(sent.contains(name), "{name} is not among the {} bytes that were sent", sent.len());
    }
    assert!(!sent.contains(&rig.demo.client_secret) && !sent.contains("eyJ"), "a secret or a token is in a trace");
    collector.abort();
}
