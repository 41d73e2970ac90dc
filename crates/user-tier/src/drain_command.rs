//! `user-tier drain`: asks the service on this machine to drain, and waits for the end of the drain. It is the `preStop` hook of a native
//! sidecar, whose SIGTERM comes only after the app has ended.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long a service that starts may take until it listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a service that does not listen is tried.
const LISTEN_POLL: Duration = Duration::from_millis(100);

/// How long connecting may take, and the answer to a request that waits for nothing. A service that starts waits for its store.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How much longer than its options say a drain may take: for the store.
const OVERTIME: Duration = Duration::from_secs(30);

/// How long a wait for which there was no place is put off.
const PLACE_POLL: Duration = Duration::from_secs(1);

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why the command fails.
#[derive(Debug, Error)]
pub enum DrainError {
    /// Nothing accepts connections there.
    #[error("nobody listens on {0} ({1}): is the service running, and is this its PROBE_ADDR?")]
    NotListening(SocketAddr, #[source] io::Error),
    /// The service is another one.
    #[error("what listens on {0} is not a Lastcall with this PROBE_ADDR: {1}")]
    NotLastcall(SocketAddr, String),
    /// The service refuses.
    #[error("the service on {0} refuses to drain: {1}")]
    Refused(SocketAddr, String),
    /// The connection broke, or was not answered in time.
    #[error("the service on {0} gives no answer: {1}")]
    NoAnswer(SocketAddr, String),
    /// The service went away while it drained.
    #[error("the service on {0} ended before it said that the drain is over: {1}")]
    Ended(SocketAddr, String),
    /// The drain takes longer than it can.
    #[error("the drain is not over after {}s, which is longer than its options allow", .0.as_secs())]
    Overdue(Duration),
}

/// The answer to `POST /drain`.
#[derive(Deserialize)]
struct Draining {
    status: Status,
    longest_seconds: f64,
}

/// The answer to `GET /wait-for-drain`.
#[derive(Deserialize)]
struct Waited {
    status: Status,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Status {
    Draining,
    Drained,
    NoDrain,
}

/// The detail of a problem.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// Asks the service at `address` to drain. Completes when the drain is over.
///
/// # Errors
/// Where there is no such service, it refuses, or it goes away.
///
/// # Cancel safety
/// Dropped, it leaves the drain running.
pub async fn drain(address: SocketAddr) -> Result<(), DrainError> {
    let longest = match begin(address).await? {
        Draining { status: Status::Drained, .. } => return Ok(()),
        Draining { longest_seconds, .. } => {
            let longest = Duration::try_from_secs_f64(longest_seconds)
                .map_err(|_| DrainError::NotLastcall(address, "its answer names no time".to_owned()))?;
            longest.saturating_add(OVERTIME)
        }
    };
    timeout(longest, wait(address)).await.unwrap_or(Err(DrainError::Overdue(longest)))
}

async fn begin(address: SocketAddr) -> Result<Draining, DrainError> {
    let no_answer = |error| DrainError::NoAnswer(address, error);
    let stream = connect(address).await?;
    let answer = timeout(ANSWER_TIMEOUT, exchange(stream, address, Method::POST, "/drain")).await;
    let (status, body) =
        answer.map_err(|_| no_answer(format!("none within {}s", ANSWER_TIMEOUT.as_secs())))?.map_err(no_answer)?;
    match status {
        StatusCode::FORBIDDEN => {
            let detail = serde_json::from_slice(&body).map(|Problem { detail }| detail);
            Err(DrainError::Refused(address, detail.unwrap_or_else(|_| format!("it answers {status}"))))
        }
        status if status.is_success() => serde_json::from_slice(&body)
            .map_err(|_| DrainError::NotLastcall(address, format!("it answers {status} with something else"))),
        status => Err(DrainError::NotLastcall(address, format!("it answers {status}"))),
    }
}

/// Waits until the service says that the drain is over.
async fn wait(address: SocketAddr) -> Result<(), DrainError> {
    let ended = |error| DrainError::Ended(address, error);
    loop {
        let stream = TcpStream::connect(address).await.map_err(|error| ended(error.to_string()))?;
        let (status, body) = exchange(stream, address, Method::GET, "/wait-for-drain").await.map_err(ended)?;
        match (status, serde_json::from_slice(&body)) {
            (StatusCode::OK, Ok(Waited { status: Status::Drained })) => return Ok(()),
            (StatusCode::SERVICE_UNAVAILABLE, _) => sleep(PLACE_POLL).await,
            (status, _) => return Err(DrainError::NotLastcall(address, format!("it answers {status} to the wait"))),
        }
    }
}

/// Connects, also where the service is about to listen.
async fn connect(address: SocketAddr) -> Result<TcpStream, DrainError> {
    let (patience, limit) = (Instant::now() + LISTEN_TIMEOUT, Instant::now() + ANSWER_TIMEOUT);
    loop {
        match timeout_at(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(_)) if Instant::now() < patience => sleep(LISTEN_POLL).await,
            Ok(Err(error)) => return Err(DrainError::NotListening(address, error)),
            Err(late) => return Err(DrainError::NotListening(address, late.into())),
        }
    }
}

/// Sends one request, and gives its status and body. Errors are texts for people.
async fn exchange(
    stream: TcpStream,
    address: SocketAddr,
    method: Method,
    path: &str,
) -> Result<(StatusCode, axum::body::Bytes), String> {
    let text = |error: &dyn std::error::Error| match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
    let request = Request::builder().method(method).uri(path).header(HOST, address.to_string());
    let request = request.header(CONTENT_TYPE, "application/json").body(Body::from("{}"));
    let request = request.map_err(|error| text(&error))?;
    let asking = async {
        let response = sender.send_request(request).await.map_err(|error| text(&error))?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), MAX_ANSWER_BYTES).await;
        Ok((status, body.map_err(|error| text(&error))?))
    };
    let serving = async {
        // Its errors are those of the request.
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        biased;
        answer = asking => answer,
        never = serving => never,
    }
}
