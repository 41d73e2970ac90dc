//! The signals that begin a drain.

use std::io;

use futures_util::Stream;
use futures_util::stream::unfold;
use session_domain::lifecycle::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Catches SIGTERM and SIGINT from now on, so that one that comes during the start is not lost.
///
/// # Errors
/// Where the system does not let signals be caught.
pub fn signals() -> io::Result<impl Stream<Item = Signal> + Send + 'static> {
    let term = signal(SignalKind::terminate())?;
    let int = signal(SignalKind::interrupt())?;
    Ok(unfold((term, int), |(mut term, mut int)| async move {
        let signal = tokio::select! {
            received = term.recv() => received.map(|()| Signal::Term),
            received = int.recv() => received.map(|()| Signal::Int),
        };
        signal.map(|signal| (signal, (term, int)))
    }))
}
