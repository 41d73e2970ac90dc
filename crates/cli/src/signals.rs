//! The signals that stop a process, and those that are ignored.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tracing::info;

/// Catches SIGTERM, SIGINT and SIGQUIT from its creation on, so that a signal during the start is not lost. Logs and ignores
/// SIGHUP, SIGUSR1 and SIGUSR2, which would end the process otherwise.
#[derive(Debug)]
pub struct StopSignals {
    term: Stream,
    int: Stream,
    quit: Stream,
    hup: Stream,
    usr1: Stream,
    usr2: Stream,
}

impl StopSignals {
    /// Starts catching the signals.
    ///
    /// # Errors
    /// Fails if the system does not permit it.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hup: signal(SignalKind::hangup())?,
            usr1: signal(SignalKind::user_defined1())?,
            usr2: signal(SignalKind::user_defined2())?,
        })
    }

    /// Waits for the next signal that stops the process, and returns its name.
    pub async fn next(&mut self) -> &'static str {
        loop {
            let ignored = tokio::select! {
                _ = self.term.recv() => return "SIGTERM",
                _ = self.int.recv() => return "SIGINT",
                _ = self.quit.recv() => return "SIGQUIT",
                _ = self.hup.recv() => "SIGHUP",
                _ = self.usr1.recv() => "SIGUSR1",
                _ = self.usr2.recv() => "SIGUSR2",
            };
            info!("received {ignored}, which is ignored");
        }
    }
}
