//! Opening a connection to the app.

use std::io;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
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

/// Opens a connection, and starts the task that drives it. The task ends with the connection, which ends when its sender is dropped.
pub(super) async fn open(address: &Address) -> Result<Sender, UpstreamError> {
    match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(UpstreamError::Connect)?;
            stream.set_nodelay(true).map_err(UpstreamError::Connect)?;
            handshake(stream).await
        }
        Address::Unix(path) => handshake(UnixStream::connect(path).await.map_err(UpstreamError::Connect)?).await,
    }
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
    builder.max_buf_size(MAX_BUFFER_BYTES);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(UpstreamError::Closed)?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            debug!(error = &error as &dyn std::error::Error, "a connection to the app ended early");
        }
    });
    Ok(sender)
}
