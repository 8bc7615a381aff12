//! A way to the API server that can be shut: connections end, and new ones are refused, as while it is gone.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::{self, Sender};
use tokio::task::{JoinHandle, JoinSet};

pub struct Proxy {
    pub server: String,
    open: Sender<bool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// To a server at `https://127.0.0.1:PORT`.
    pub async fn start(server: &str) -> Self {
        let target = server.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("https://{}", listener.local_addr().unwrap());
        let (open, is_open) = watch::channel(true);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (target, mut is_open) = (target.clone(), is_open.clone());
                connections.spawn(async move {
                    if *is_open.borrow_and_update() {
                        tokio::select! {
                            () = pass(socket, &target) => {}
                            _ = is_open.wait_for(|open| !open) => {}
                        }
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { server: own, open, task }
    }

    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut near: TcpStream, target: &str) {
    // A connection that fails is what a client of the server would see as well.
    if let Ok(mut far) = TcpStream::connect(target).await {
        let _ = near.set_nodelay(true);
        let _ = far.set_nodelay(true);
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    }
}
