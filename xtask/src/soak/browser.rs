//! The connections and cookies of one browser: up to six kept HTTP/1.1 connections, or one of HTTP/2.
//!
//! As browsers do, a request is sent again on a new connection where a kept one closes without a byte of an answer.
//! Every other failure is the user's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the head or the rest of an answer may take. Event streams have no limit for the rest.
const PATIENCE: Duration = Duration::from_secs(15);

/// The idle connections that a browser keeps to a host.
const MAX_IDLE: usize = 6;

/// Why a request has no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Failure {
    /// The connection was refused.
    Refused,
    /// The connection ended before the answer began.
    Reset,
    /// The connection ended in the midst of the answer.
    Truncated,
    /// No answer came in time.
    Silent,
}

/// A connection that can take requests.
enum Connection {
    One(http1::SendRequest<String>),
    Many(http2::SendRequest<String>),
}

/// An answer whose body is still to be read.
pub(super) struct Answer {
    pub(super) status: u16,
    body: Incoming,
    connection: Option<Connection>,
}

/// A browser without a screen.
pub(super) struct Browser {
    address: SocketAddr,
    speaks_http2: bool,
    idle: Mutex<Vec<Connection>>,
    cookies: Mutex<BTreeMap<String, String>>,
    /// Requests of all browsers that were sent again on a new connection.
    repeated: Arc<AtomicU64>,
}

impl Browser {
    pub(super) fn new(address: SocketAddr, speaks_http2: bool, repeated: Arc<AtomicU64>) -> Self {
        let (idle, cookies) = (Mutex::default(), Mutex::default());
        Self { address, speaks_http2, idle, cookies, repeated }
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn send(&self, method: &str, path: &str, accept: &str, body: &str) -> Result<Answer, Failure> {
        loop {
            let kept = self.take_idle();
            let is_reused = kept.is_some();
            let mut connection = match kept {
                Some(kept) => kept,
                None => self.connect().await?,
            };
            let request = self.request(method, path, accept, body);
            let answered = timeout(PATIENCE, connection.send(request)).await.map_err(|_| Failure::Silent)?;
            match answered {
                Ok(answer) => {
                    self.store_cookies(&answer);
                    if let Connection::Many(shared) = &connection {
                        self.keep(Connection::Many(shared.clone()));
                    }
                    let connection = matches!(connection, Connection::One(_)).then_some(connection);
                    return Ok(Answer { status: answer.status().as_u16(), body: answer.into_body(), connection });
                }
                Err(_) if is_reused => {
                    self.repeated.fetch_add(1, Relaxed);
                }
                Err(_) => return Err(Failure::Reset),
            }
        }
    }

    /// Sends a request and reads the answer to its end. Returns its status and its body.
    ///
    /// # Errors
    /// There is no complete answer.
    pub(super) async fn fetch(
        &self,
        method: &str,
        path: &str,
        accept: &str,
        body: &str,
    ) -> Result<(u16, String), Failure> {
        let answer = self.send(method, path, accept, body).await?;
        Ok((answer.status, self.read(answer).await?))
    }

    /// Reads an answer to its end.
    ///
    /// # Errors
    /// It is not complete.
    pub(super) async fn read(&self, mut answer: Answer) -> Result<String, Failure> {
        let mut text = Vec::new();
        while let Some(piece) = timeout(PATIENCE, answer.next()).await.map_err(|_| Failure::Silent)?? {
            text.extend_from_slice(&piece);
        }
        if let Some(connection) = answer.connection.take() {
            self.keep(connection);
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Forgets the cookies, as a user does who starts anew.
    pub(super) fn forget_cookies(&self) {
        self.cookies.lock().clear();
    }

    /// The connection that was used last, if one is open.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        while let Some(connection) = idle.pop() {
            match &connection {
                Connection::One(one) if one.is_ready() => return Some(connection),
                Connection::Many(many) if many.is_ready() => {
                    let shared = Connection::Many(many.clone());
                    idle.push(connection);
                    return Some(shared);
                }
                Connection::One(_) | Connection::Many(_) => {}
            }
        }
        None
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        let most = if self.speaks_http2 { 1 } else { MAX_IDLE };
        if idle.len() < most {
            idle.push(connection);
        }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let stream = timeout(PATIENCE, TcpStream::connect(self.address)).await.map_err(|_| Failure::Silent)?;
        let stream = stream.map_err(|_| Failure::Refused)?;
        // Without it, small requests wait for acknowledgements.
        let _ = stream.set_nodelay(true);
        let stream = TokioIo::new(stream);
        // The tasks end with their connections, which end with their senders.
        if self.speaks_http2 {
            let (sender, driver) = http2::handshake(TokioExecutor::new(), stream).await.map_err(|_| Failure::Reset)?;
            tokio::spawn(driver);
            Ok(Connection::Many(sender))
        } else {
            let (sender, driver) = http1::handshake(stream).await.map_err(|_| Failure::Reset)?;
            tokio::spawn(driver);
            Ok(Connection::One(sender))
        }
    }

    fn request(&self, method: &str, path: &str, accept: &str, body: &str) -> Request<String> {
        let cookies: Vec<_> = self.cookies.lock().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let target = if self.speaks_http2 { format!("http://{}{path}", self.address) } else { path.to_owned() };
        let mut request = Request::builder().method(method).uri(target).header("accept", accept);
        let mode = if accept.contains("text/html") { "navigate" } else { "same-origin" };
        request = request.header("sec-fetch-site", "same-origin").header("sec-fetch-mode", mode);
        if !self.speaks_http2 {
            request = request.header("host", self.address.to_string());
        }
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        if path == "/login" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        request.body(body.to_owned()).unwrap_or_default()
    }

    fn store_cookies(&self, answer: &Response<Incoming>) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap_or_default();
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            let mut cookies = self.cookies.lock();
            if value.is_empty() || cookie.to_ascii_lowercase().contains("max-age=0") {
                cookies.remove(name.trim());
            } else {
                cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

impl Connection {
    async fn send(&mut self, request: Request<String>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::One(one) => one.send_request(request).await,
            Self::Many(many) => many.send_request(request).await,
        }
    }
}

impl Answer {
    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// The connection ended before the body did.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = std::future::poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await;
            match frame.transpose().map_err(|_| Failure::Truncated)? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}
