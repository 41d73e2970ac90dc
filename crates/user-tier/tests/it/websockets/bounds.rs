//! What clients may do with a WebSocket, and what they may not.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;

use crate::pod;

#[tokio::test]
async fn what_is_no_handshake_gets_a_clear_answer() {
    let pod = pod(&[]).await;
    let stranger = pod.person();
    let refused = stranger.try_websocket("/ws").await.unwrap_err();
    assert_eq!(
        (refused.status().as_u16(), refused.headers()["content-type"].to_str().unwrap()),
        (401, "application/problem+json")
    );
    let person = stranger.visit().await;
    let foreign = person.opening("/ws").header("origin", "https://other.test").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    assert_eq!(person.opening("/ws").header("sec-fetch-site", "same-site").send().await.unwrap().status(), 403);
    for (answer, status, part) in [
        (person.get("/ws").await, 426, "Upgrade"),
        (person.opening("/ws").header("sec-websocket-version", "8").send().await.unwrap(), 426, "Version"),
        (person.opening("/ws").header("sec-websocket-key", "short").send().await.unwrap(), 400, "Key"),
    ] {
        assert_eq!(answer.status(), status, "{part}");
        if status == 426 {
            assert_eq!(answer.headers()["sec-websocket-version"], "13");
        }
        assert!(answer.text().await.unwrap().contains(part), "{part}");
    }
    assert_eq!(person.post("/ws").send().await.unwrap().status(), 405);
    assert_eq!(pod.metric("lastcall_websocket_connections").await, 0.0);
}

#[tokio::test]
async fn faulty_frames_close_with_the_code_of_the_fault_and_harm_nobody_else() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    let mut untouched = person.websocket("/ws").await;
    let masked = |head: &[u8], payload: &[u8]| [head, &[0; 4], payload].concat();
    for (bytes, code) in [
        (masked(&[0x81, 0x82], &[0xc3, 0x28]), 1007),
        (masked(&[0x82, 0xff, 0, 0, 0, 0, 0, 0x01, 0x00, 0x01], &[0; 100]), 1009),
        (masked(&[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[]), 1009),
        (vec![0x81, 0x01, b'a'], 1002),
        (masked(&[0x83, 0x80], &[]), 1002),
        (masked(&[0x89, 0xfe, 0x00, 0x80], &[0; 128]), 1002),
    ] {
        let mut socket = person.websocket("/ws").await;
        socket.connection().write_all(&bytes).await.unwrap();
        assert_eq!(socket.close_code().await, Some(code), "{bytes:?}");
    }
    // Two frames that are small enough, and too large together.
    let mut socket = person.websocket("/ws").await;
    let half = masked(&[0x02, 0xfe, 0x9c, 0x40], &[0; 40_000]);
    let rest = masked(&[0x80, 0xfe, 0x9c, 0x40], &[0; 40_000]);
    socket.connection().write_all(&[half, rest].concat()).await.unwrap();
    assert_eq!(socket.close_code().await, Some(1009));
    // Much more than the connection holds: the frame arrives all the same.
    let mut socket = person.websocket("/ws").await;
    socket.send_message(Message::binary(vec![0; 8 << 20])).await.unwrap();
    assert_eq!(socket.close_code().await, Some(1009));
    person.login("ada").await;
    assert_eq!(untouched.event().await.name, "connected");
    assert_eq!(untouched.event().await.name, "connected");
}

#[tokio::test]
async fn one_websocket_too_many_ends_the_oldest_and_leaves_event_streams_alone() {
    let pod = pod(&[("MAX_STREAMS_PER_SESSION", "2")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let mut oldest = person.websocket("/ws").await;
    let _second = person.websocket("/ws").await;
    let mut third = person.websocket("/ws").await;
    assert_eq!(oldest.event_named("stream-ended").await.data["reason"], "too_many_streams");
    assert_eq!(oldest.close_code().await, Some(1008));
    person.login("ada").await;
    assert_eq!(stream.next().await.name, "connected");
    assert_eq!(third.event().await.name, "connected");
}

#[tokio::test]
async fn a_flood_of_pings_is_slowed_down_and_a_client_that_answers_none_is_cut() {
    let pod = pod(&[("HEARTBEAT_INTERVAL", "500ms")]).await;
    let person = pod.person().visit().await;
    let started = Instant::now();
    let mut silent = person.opening("/ws").send().await.unwrap().upgrade().await.unwrap();
    let mut flood = person.websocket("/ws").await;
    for number in 0..2_000_u32 {
        flood.send_message(Message::Ping(number.to_be_bytes().to_vec().into())).await.unwrap();
    }
    while flood.next_pong().await != 1_999_u32.to_be_bytes() {}
    assert!(started.elapsed() >= Duration::from_millis(1_500), "1,000 at once, then 500 a second");
    // Two seconds of silence, whatever it reads meanwhile: events, pings, and the Close frame at the end.
    let mut read = Vec::new();
    silent.read_to_end(&mut read).await.unwrap();
    let close = &read[read.len() - "xx..No answer to pings.".len()..];
    assert_eq!(close, [&[0x88, 21, 0x03, 0xe9], &b"No answer to pings."[..]].concat());
    assert!(started.elapsed() < Duration::from_secs(20));
}
