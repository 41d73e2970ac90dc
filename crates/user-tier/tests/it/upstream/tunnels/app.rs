//! A small app with WebSockets: `/echo` sends back what comes, `/chatter` sends fragmented messages all the time as well, `/leave` breaks
//! off at the first message, and any other protocol is echoed byte by byte.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use test_support::eventually;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::interval;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// How often `/chatter` sends a frame.
const CHATTER_INTERVAL: Duration = Duration::from_millis(50);

/// The payload of a frame of `/chatter`: more than one packet.
const CHATTER_BYTES: usize = 3000;

/// A running app.
pub(crate) struct App {
    address: String,
    close_codes: Arc<Mutex<Vec<u16>>>,
}

impl App {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let close_codes = Arc::default();
        let codes = Arc::clone(&close_codes);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&codes)));
            }
        });
        Self { address, close_codes }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits for this many Close frames, and gives their codes.
    pub(crate) async fn close_codes(&self, count: usize) -> Vec<u16> {
        eventually("the Close frames", || async {
            let codes = self.close_codes.lock().clone();
            (codes.len() >= count).then_some(codes)
        })
        .await
    }
}

/// Serves one request.
async fn serve(stream: TcpStream, close_codes: Arc<Mutex<Vec<u16>>>) {
    let mut stream = BufReader::new(stream);
    let (mut path, mut protocol) = (String::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end().split_once(':') {
            None if line.trim_end().is_empty() => break,
            None => path = line.split(' ').nth(1).unwrap().to_owned(),
            Some((name, value)) if name.eq_ignore_ascii_case("upgrade") => protocol = Some(value.trim().to_owned()),
            Some(_) => {}
        }
    }
    let Some(protocol) = protocol else {
        let page = "<!doctype html><html><head></head><body>page</body></html>";
        let length = page.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close");
        // A client that is gone needs no page.
        let _ = stream.write_all(format!("{head}\r\n\r\n{page}").as_bytes()).await;
        return;
    };
    let head = format!("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    if protocol == "websocket" {
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        match path.as_str() {
            "/leave" => _ = { socket }.next().await,
            path => serve_websocket(socket, path == "/chatter", &close_codes).await,
        }
    } else {
        let (mut from, mut to) = split(stream);
        let _ = copy(&mut from, &mut to).await;
    }
}

async fn serve_websocket(
    mut socket: WebSocketStream<BufReader<TcpStream>>,
    chatters: bool,
    close_codes: &Mutex<Vec<u16>>,
) {
    let mut ticks = interval(CHATTER_INTERVAL);
    let mut is_first = true;
    loop {
        tokio::select! {
            _ = ticks.tick(), if chatters => {
                let opcode = if is_first { Data::Text } else { Data::Continue };
                let frame = Frame::message(vec![b'x'; CHATTER_BYTES], OpCode::Data(opcode), !is_first);
                is_first = !is_first;
                if socket.send(Message::Frame(frame)).await.is_err() {
                    return;
                }
            }
            message = socket.next() => match message {
                Some(Ok(message @ Message::Text(_))) => socket.send(message).await.unwrap(),
                Some(Ok(Message::Close(frame))) => {
                    close_codes.lock().push(frame.map_or(1005, |frame| frame.code.into()));
                    // Sends the answer.
                    while let Some(Ok(_)) = socket.next().await {}
                    return;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}
