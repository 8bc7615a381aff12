//! Limits of a server: slow clients, or many of them, must not use up the file descriptors that the rest of the process
//! needs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::Server;
use axum_server::accept::Accept;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

/// Far more than the kubelet and a few Prometheus servers keep open. Further connections are closed at once.
const CONNECTIONS_MAX: usize = 64;
/// The longest time for the head of a request, the wait for the next request on a connection included.
const HEAD_MAX: Duration = Duration::from_secs(15);

/// The server with both limits.
pub(super) fn limited<A>(server: Server<SocketAddr, A>) -> Server<SocketAddr, Limited<A>> {
    limited_to(server, CONNECTIONS_MAX, HEAD_MAX)
}

fn limited_to<A>(server: Server<SocketAddr, A>, most: usize, head: Duration) -> Server<SocketAddr, Limited<A>> {
    // HTTP/2 has no limit for a head, and finding out which version a client speaks has none either.
    let server = server.http1_only().first_request_timeout(head);
    let mut server = server.map(|inner| Limited { inner, free: Arc::new(Semaphore::new(most)) });
    server.http_builder().http1().header_read_timeout(head);
    server
}

#[derive(Clone)]
pub(super) struct Limited<A> {
    inner: A,
    free: Arc<Semaphore>,
}

impl<I, S, A> Accept<I, S> for Limited<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = A::Stream;
    type Service = Counted<A::Service>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let Ok(place) = self.free.clone().try_acquire_owned() else {
            return async { Err(io::Error::other("the limit of open connections is reached")) }.boxed();
        };
        let accepted = self.inner.accept(stream, service);
        async move {
            let (stream, service) = accepted.await?;
            Ok((stream, Counted { service, _place: Arc::new(place) }))
        }
        .boxed()
    }
}

/// The service of one connection; it lives as long as that and holds its place.
#[derive(Clone)]
pub(super) struct Counted<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<R, S: Service<R>> Service<R> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.service.call(request)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn served(most: usize, head: Duration) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = limited_to(axum_server::from_tcp(listener).unwrap(), most, head);
        let router = Router::new().route("/", get(async || "ok"));
        tokio::spawn(server.serve(router.into_make_service()));
        address
    }

    /// What the server sends until it closes.
    async fn rest(mut stream: TcpStream) -> String {
        let mut text = Vec::new();
        // A connection that is reset was closed as well.
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("the connection is closed");
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn a_head_that_never_ends_closes_its_connection() {
        let mut stream = TcpStream::connect(served(4, Duration::from_millis(200))).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n").await.unwrap();
        assert!(!rest(stream).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn a_connection_without_a_request_is_closed() {
        for begin in ["", "PRI * HT"] {
            let mut stream = TcpStream::connect(served(4, Duration::from_millis(200))).await.unwrap();
            stream.write_all(begin.as_bytes()).await.unwrap();
            assert!(!rest(stream).await.contains("200 OK"), "{begin}");
        }
    }

    #[tokio::test]
    async fn http_2_is_not_spoken() {
        let mut stream = TcpStream::connect(served(4, PATIENCE * 2)).await.unwrap();
        let settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        stream.write_all(settings).await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer:?}");
    }

    #[tokio::test]
    async fn a_connection_beyond_the_limit_is_closed_and_a_place_that_becomes_free_is_used_again() {
        let address = served(1, PATIENCE * 2);
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut begin = [0; 15];
        first.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200 OK");
        assert_eq!(rest(TcpStream::connect(address).await.unwrap()).await, "");
        drop(first);
        let served_again = async {
            loop {
                let mut next = TcpStream::connect(address).await.unwrap();
                let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
                if next.write_all(request).await.is_ok() && rest(next).await.contains("200 OK") {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, served_again).await.expect("the place is given back");
    }
}
