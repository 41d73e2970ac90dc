//! The signals that ask a process to stop.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// SIGTERM and SIGINT, caught since this was made: one that comes during the start is not lost.
#[derive(Debug)]
pub struct StopSignals {
    term: Stream,
    int: Stream,
}

impl StopSignals {
    /// Catches the signals from now on.
    ///
    /// # Errors
    /// Where the system does not let signals be caught.
    pub fn catch() -> io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one and gives its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.int.recv() => "SIGINT",
        }
    }
}
