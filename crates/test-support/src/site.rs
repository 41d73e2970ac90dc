//! A foreign site: pages on their own origin, without protective header fields.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running site. Dropping it stops it.
#[derive(Debug)]
pub struct Site {
    /// The port on this machine. To a browser, `localhost` and `127.0.0.1` are two sites.
    pub port: u16,
    server: JoinHandle<()>,
}

impl Site {
    /// Serves these pages under their paths.
    pub async fn with(pages: &[(&str, &str)]) -> Self {
        let pages = pages.iter().map(|(path, html)| ((*path).to_owned(), (*html).to_owned()));
        let pages = Arc::new(pages.collect::<HashMap<_, _>>());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&pages)));
            }
        });
        Self { port, server }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Reads one head, answers, and closes the connection.
async fn answer(mut stream: TcpStream, pages: Arc<HashMap<String, String>>) {
    let mut head = Vec::new();
    let mut part = [0; 4_096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part).await {
            Ok(read) if read > 0 => head.extend_from_slice(&part[..read]),
            Ok(_) | Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let (status, page) = pages.get(path).map_or(("404 Not Found", ""), |page| ("200 OK", page));
    let kind = if path.ends_with(".js") { "text/javascript" } else { "text/html; charset=utf-8" };
    let length = page.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{page}"
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}
