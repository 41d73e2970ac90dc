//! The signals that begin a drain, and those that must not end the process.

use std::io;

use futures_util::Stream;
use futures_util::stream::unfold;
use session_domain::lifecycle::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

/// Catches SIGTERM, SIGINT and SIGQUIT from now on, so that one that comes during the start is not lost. SIGHUP, SIGUSR1
/// and SIGUSR2 are logged and ignored as long as the stream is polled: they would end the process otherwise, and its
/// users' sessions with it.
///
/// # Errors
/// Where the system does not let signals be caught.
pub fn signals() -> io::Result<impl Stream<Item = Signal> + Send + 'static> {
    let asks = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::quit())?);
    let ignored =
        (signal(SignalKind::hangup())?, signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?);
    Ok(unfold((asks, ignored), |((mut term, mut int, mut quit), (mut hup, mut usr1, mut usr2))| async move {
        loop {
            let (signal, name) = tokio::select! {
                received = term.recv() => (received.map(|()| Signal::Term), None),
                received = int.recv() => (received.map(|()| Signal::Int), None),
                received = quit.recv() => (received.map(|()| Signal::Quit), None),
                _ = hup.recv() => (None, Some("SIGHUP")),
                _ = usr1.recv() => (None, Some("SIGUSR1")),
                _ = usr2.recv() => (None, Some("SIGUSR2")),
            };
            match name {
                Some(name) => info!("received {name}, which is ignored"),
                None => return signal.map(|signal| (signal, ((term, int, quit), (hup, usr1, usr2)))),
            }
        }
    }))
}
