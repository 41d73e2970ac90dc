//! `/wait-for-drain`.

use futures_util::future::select_all;
use test_support::{Signal, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

/// A request that waits, or has the answer.
struct Waiting(TcpStream);

impl Waiting {
    async fn begin(probes: &str) -> Self {
        let mut stream = TcpStream::connect(probes).await.unwrap();
        stream.write_all(b"GET /wait-for-drain HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n").await.unwrap();
        Self(stream)
    }

    async fn answer(&mut self) -> String {
        let mut answer = String::new();
        timeout(TEST_TIMEOUT, self.0.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }

    /// Whether the answer comes within a moment.
    async fn is_refused(&mut self) -> bool {
        match timeout(std::time::Duration::from_millis(300), self.answer()).await {
            Ok(answer) => answer.starts_with("HTTP/1.1 503 "),
            Err(_) => false,
        }
    }
}

#[tokio::test]
async fn eight_wait_for_the_end_of_the_propagation_and_one_that_leaves_makes_room_for_the_ninth() {
    let (mut pod, probes) = pod(&[("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "1s")]).await;
    let person = pod.person().visit().await;
    let _stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    pod.line("Waiting 60s for users").await;
    let mut nine = Vec::new();
    for _ in 0..9 {
        nine.push(Waiting::begin(&probes).await);
    }
    // Whichever comes last.
    let answers = nine.iter_mut().map(|waiting| Box::pin(waiting.answer()));
    let (refused, at, _) = select_all(answers).await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1"), "{refused}");
    nine.swap_remove(at);
    nine.pop();
    let late = eventually("a place is free", || async {
        let mut waiting = Waiting::begin(&probes).await;
        (!waiting.is_refused().await).then_some(waiting)
    })
    .await;
    nine.push(late);
    person.get("/logout").await;
    pod.line("Waiting 1s for endpoint removal").await;
    assert_eq!(nine.len(), 8);
    for waiting in &mut nine {
        let answer = waiting.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(r#"{"status":"drained"}"#), "{answer}");
        assert!(pod.drain_log().iter().any(|line| line.contains("Waiting 1s")));
    }
    assert_eq!(pod.wait().await.code(), Some(0));
}
