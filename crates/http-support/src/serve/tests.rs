use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_pipelined_head_that_never_ends_is_closed_by_the_limit_for_heads() {
    let (started, mut has_started) = mpsc::channel(1);
    let slow = move || async move {
        started.send(()).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        "done"
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let stop = CancellationToken::new();
    let routes = Router::new().route("/", get(slow));
    let settings = ConnectionSettings::new(Duration::from_secs(15));
    let serving = tokio::spawn(serve(listener, routes, stop.clone(), settings, Connections::at_most(10)));

    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    has_started.recv().await.unwrap();
    client.write_all(b"GET /next HTTP/1.1\r\nhost: ").await.unwrap();
    let began = Instant::now();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(began.elapsed().as_secs(), 2 + 10);
    stop.cancel();
    serving.await.unwrap();
}
