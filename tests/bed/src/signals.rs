//! Ctrl-C and its relatives as something that can be awaited.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its creation on these signals no longer end the process by themselves.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// One of SIGINT, SIGTERM and SIGHUP.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// Returns when stdin has ended, if that is watched: then whoever started this process is gone.
pub(crate) async fn owner_gone(watched: bool) {
    if !watched {
        return std::future::pending().await;
    }
    // An error counts as the end: whoever cannot read does not know about the owner.
    let _ = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin().lock(), &mut io::sink())).await;
}
