//! Opening a connection to the app.

use std::io;
use std::time::Duration;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tracing::debug;

use super::error::UpstreamError;
use super::request_body::RequestBody;
use crate::address::Address;

/// Sends requests on one connection.
pub(super) type Sender = http1::SendRequest<RequestBody>;

/// The largest head of an answer, in bytes, and the most that is read of a body before the client takes it.
const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// How many fields the head of an answer may have. hyper fills and gives back memory for this many with each head.
const MAX_FIELDS: usize = 512;

/// How long nothing may come from the app before the system asks whether its machine is still there, and how long it waits between two
/// questions. After [`KEEPALIVE_RETRIES`] without an answer the connection is lost: an app that is busy for hours is waited for, one whose
/// machine has vanished is not.
const KEEPALIVE_TIME: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How many questions may stay unanswered.
const KEEPALIVE_RETRIES: u32 = 3;

/// Opens a connection, and starts the task that drives it. The task ends with the connection, which ends when its sender is dropped.
pub(super) async fn open(address: &Address) -> Result<Sender, UpstreamError> {
    match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(UpstreamError::Connect)?;
            set_options(&stream).map_err(UpstreamError::Connect)?;
            handshake(stream).await
        }
        Address::Unix(path) => handshake(UnixStream::connect(path).await.map_err(UpstreamError::Connect)?).await,
    }
}

/// Sets the options of a connection. There is no `TCP_USER_TIMEOUT`: it would also cut an upload that the app lets wait for longer.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL);
    SockRef::from(stream).set_tcp_keepalive(&keepalive.with_retries(KEEPALIVE_RETRIES))
}

/// Opens a connection and closes it again.
///
/// # Errors
/// Where the app does not accept it.
pub(crate) async fn probe(address: &Address) -> io::Result<()> {
    match address {
        Address::Tcp { host, port } => TcpStream::connect((host.as_str(), *port)).await.map(drop),
        Address::Unix(path) => UnixStream::connect(path).await.map(drop),
    }
}

async fn handshake(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Sender, UpstreamError> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_BUFFER_BYTES).max_headers(MAX_FIELDS);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(UpstreamError::Closed)?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            debug!(error = &error as &dyn std::error::Error, "a connection to the app ended early");
        }
    });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_to_an_app_whose_machine_has_vanished_is_lost_after_a_minute() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        set_options(&stream).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
        let retries = socket.tcp_keepalive_retries().unwrap();
        let noticed = socket.tcp_keepalive_time().unwrap() + socket.tcp_keepalive_interval().unwrap() * retries;
        assert_eq!(noticed, Duration::from_secs(60));
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().unwrap(), None, "an upload may wait longer");
    }
}
