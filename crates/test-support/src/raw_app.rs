//! A double of an app behind Lastcall: it records the bytes of each request, and answers with given bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::eventually;

/// What the app does with a request.
#[derive(Clone, Debug)]
pub enum RawAnswer {
    /// Sends these bytes and keeps the connection.
    Keep(Vec<u8>),
    /// Sends these bytes and closes the connection.
    Close(Vec<u8>),
    /// Sends nothing, and waits for the end of the connection.
    Hang,
}

/// An app that records what it gets. Ends when it is dropped.
#[derive(Debug)]
pub struct RawApp {
    /// Its `UPSTREAM_URL`.
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for RawApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RawApp {
    /// Starts an app that answers each request as `answer` says, by its text and its number on the connection, from 0. A request with
    /// `Expect` is answered before its body has come.
    pub async fn start(answer: impl Fn(&str, usize) -> RawAnswer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (connections, closed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (log, count, ended, answer) =
            (Arc::clone(&requests), Arc::clone(&connections), Arc::clone(&closed), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, count, ended, answer) =
                    (Arc::clone(&log), Arc::clone(&count), Arc::clone(&ended), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut served = 0;
                    let _ = serve(stream, &log, &count, &*answer, &mut served).await;
                    if served > 0 {
                        ended.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Self { url, requests, connections, closed, task }
    }

    /// The requests so far, head and body, each byte as a character.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }

    /// The last request.
    pub fn last(&self) -> String {
        self.requests().pop().unwrap_or_default()
    }

    /// Connections on which a request came.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Waits until this many connections with a request have ended.
    pub async fn has_closed(&self, connections: usize) {
        let closed = || async { (self.closed.load(Ordering::SeqCst) >= connections).then_some(()) };
        eventually("the end of a connection to the app", closed).await;
    }
}

async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<String>>,
    count: &AtomicUsize,
    answer: &(dyn Fn(&str, usize) -> RawAnswer + Send + Sync),
    served: &mut usize,
) -> std::io::Result<()> {
    let mut read = String::new();
    for number in 0.. {
        let length = loop {
            if let Some(length) = complete_length(&read) {
                break length;
            }
            let mut bytes = [0; 16 * 1024];
            let count = stream.read(&mut bytes).await?;
            if count == 0 {
                return Ok(());
            }
            read.extend(bytes[..count].iter().map(|byte| char::from(*byte)));
        };
        let request: String = read.drain(..read.char_indices().nth(length).map_or(read.len(), |(at, _)| at)).collect();
        if number == 0 {
            count.fetch_add(1, Ordering::SeqCst);
        }
        *served += 1;
        log.lock().push(request.clone());
        match answer(&request, number) {
            RawAnswer::Keep(bytes) => stream.write_all(&bytes).await?,
            RawAnswer::Close(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            RawAnswer::Hang => while stream.read(&mut [0; 1024]).await? > 0 {},
        }
    }
    Ok(())
}

/// The length of the first request in characters, where it is complete.
fn complete_length(read: &str) -> Option<usize> {
    let head = read.find("\r\n\r\n")? + 4;
    let fields = read[..head].to_ascii_lowercase();
    let length = fields.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    let head_length = read[..head].chars().count();
    if fields.contains("\r\nexpect:") {
        return Some(head_length);
    }
    if fields.contains("transfer-encoding: chunked") {
        let body = &read[head..];
        // With trailers or without.
        let last = if body.starts_with("0\r\n") { 0 } else { body.find("\r\n0\r\n")? + 2 };
        let end = body[last..].find("\r\n\r\n")? + last + 4;
        return Some(head_length + body[..end].chars().count());
    }
    let total = head_length + length.unwrap_or(0);
    (read.chars().count() >= total).then_some(total)
}
