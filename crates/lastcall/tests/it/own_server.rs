//! Apps of this process that have a server of their own.

use axum::Router;
use lastcall::{Lastcall, Signal};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Starts the background work, and gives the way to signal it.
pub(crate) fn start(lastcall: &Lastcall) -> mpsc::UnboundedSender<Signal> {
    let (signals, mut sent) = mpsc::unbounded_channel();
    lastcall.start(futures_util::stream::poll_fn(move |context| sent.poll_recv(context))).unwrap();
    signals
}

/// Serves routes until the service has drained. Gives the address.
pub(crate) async fn serve(lastcall: &Lastcall, routes: Router) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let drained = lastcall.drained();
    let server = tokio::spawn(async move {
        axum::serve(listener, routes).with_graceful_shutdown(drained).await.unwrap();
    });
    (address, server)
}
