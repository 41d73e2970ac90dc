//! A relay between two ends in memory, under a paused clock.

use std::future::{pending, ready};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::direction::CHUNK_BYTES;
use super::relay::{CLOSE_TIMEOUT, FRAME_TIMEOUT, HALF_CLOSED_TIMEOUT, LINGER, MESSAGE_TIMEOUT, WRITE_TIMEOUT};
use super::*;

/// The Close frames 1012 and 1000 of a server.
const RESTART: [u8; 4] = [0x88, 0x02, 0x03, 0xf4];
const NORMAL: [u8; 4] = [0x88, 0x02, 0x03, 0xe8];
/// A Close frame 1012 of a client, with a mask of zeros.
const CLIENT_CLOSE: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf4];
const TEXT: [u8; 5] = [0x81, 0x03, b'a', b'b', b'c'];

struct Tunnel {
    client: DuplexStream,
    app: DuplexStream,
    end: oneshot::Sender<CloseCode>,
    relayed: JoinHandle<Relayed>,
}

fn tunnel(protocol: Protocol, buffer_bytes: usize) -> Tunnel {
    let (client, client_side) = duplex(buffer_bytes);
    let (app, app_side) = duplex(buffer_bytes);
    let (end, ended) = oneshot::channel();
    let lost_app = || None;
    let ended = async move {
        match ended.await {
            Ok(code) => code,
            Err(_) => pending().await,
        }
    };
    Tunnel { client, app, end, relayed: tokio::spawn(relay(client_side, app_side, protocol, ended, lost_app)) }
}

impl Tunnel {
    /// Tells the relay to end, and gives the other parts.
    fn end(self) -> (DuplexStream, DuplexStream, JoinHandle<Relayed>) {
        self.end.send(CloseCode::SERVICE_RESTART).unwrap();
        (self.client, self.app, self.relayed)
    }
}

async fn expect(side: &mut DuplexStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    side.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, expected);
}

/// What the side gets up to the end.
async fn rest(side: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    side.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Unmasks a Close frame of a client.
fn unmasked_code(frame: &[u8]) -> u16 {
    let [0x88, 0x82, m0, m1, _, _, high, low] = *frame else { panic!("no masked Close frame: {frame:x?}") };
    u16::from_be_bytes([high ^ m0, low ^ m1])
}

#[tokio::test(start_paused = true)]
async fn the_client_gets_the_code_between_messages_and_its_close_frame_goes_on_to_the_app() {
    let mut tunnel = tunnel(Protocol::WebSocket, 1024);
    tunnel.app.write_all(&TEXT).await.unwrap();
    expect(&mut tunnel.client, &TEXT).await;
    let (mut client, mut app, relayed) = tunnel.end();
    expect(&mut client, &RESTART).await;
    // What the client sends before its Close frame is relayed as ever, what the app sends is not.
    app.write_all(&TEXT).await.unwrap();
    client.write_all(&TEXT).await.unwrap();
    client.write_all(&CLIENT_CLOSE).await.unwrap();
    expect(&mut app, &TEXT).await;
    expect(&mut app, &CLIENT_CLOSE).await;
    app.write_all(&NORMAL).await.unwrap();
    assert_eq!(rest(&mut app).await, [0_u8; 0]);
    assert_eq!(rest(&mut client).await, [0_u8; 0]);
    drop((client, app));
    assert_eq!(relayed.await.unwrap(), Relayed { closed_by: ClosedBy::Relay, client_bytes: 13, app_bytes: 5 });
}

#[tokio::test(start_paused = true)]
async fn the_message_that_the_app_is_sending_is_completed_first() {
    let mut tunnel = tunnel(Protocol::WebSocket, 1024);
    // The first frame of a message, and the half of a ping.
    tunnel.app.write_all(&[0x01, 0x01, b'a', 0x89, 0x02, 1]).await.unwrap();
    expect(&mut tunnel.client, &[0x01, 0x01, b'a', 0x89, 0x02, 1]).await;
    let (mut client, mut app, _relayed) = tunnel.end();
    sleep(MESSAGE_TIMEOUT / 2).await;
    app.write_all(&[2, 0x80, 0x01, b'b', 0x81, 0x01, b'c']).await.unwrap();
    expect(&mut client, &[2, 0x80, 0x01, b'b']).await;
    expect(&mut client, &RESTART).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_second_the_close_frame_comes_between_any_two_frames() {
    let mut tunnel = tunnel(Protocol::WebSocket, 1024);
    tunnel.app.write_all(&[0x01, 0x02, b'a']).await.unwrap();
    expect(&mut tunnel.client, &[0x01, 0x02, b'a']).await;
    let ended_at = Instant::now();
    let (mut client, mut app, _relayed) = tunnel.end();
    sleep(MESSAGE_TIMEOUT + FRAME_TIMEOUT / 2).await;
    app.write_all(&[b'b', 0x00, 0x01, b'c']).await.unwrap();
    expect(&mut client, b"b").await;
    expect(&mut client, &RESTART).await;
    assert!(ended_at.elapsed() < MESSAGE_TIMEOUT + FRAME_TIMEOUT, "{:?}", ended_at.elapsed());
    // A frame that was complete, and a header that was not: the Close frame comes after the second.
    let mut tunnel = self::tunnel(Protocol::WebSocket, 1024);
    tunnel.app.write_all(&[0x01, 0x01, b'a', 0x00]).await.unwrap();
    expect(&mut tunnel.client, &[0x01, 0x01, b'a']).await;
    let ended_at = Instant::now();
    let (mut client, _app, _relayed) = tunnel.end();
    expect(&mut client, &RESTART).await;
    assert!(ended_at.elapsed().abs_diff(MESSAGE_TIMEOUT) < Duration::from_millis(100), "{:?}", ended_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_never_ends_gets_no_close_frame_into_its_payload() {
    for from_app in [true, false] {
        let mut tunnel = tunnel(Protocol::WebSocket, 1024);
        let begun = [0x82, 0x05, 1];
        if from_app {
            tunnel.app.write_all(&begun).await.unwrap();
            expect(&mut tunnel.client, &begun).await;
        } else {
            tunnel.client.write_all(&begun).await.unwrap();
            expect(&mut tunnel.app, &begun).await;
        }
        let ended_at = Instant::now();
        let (mut client, mut app, _relayed) = tunnel.end();
        let (to_client, to_app) = tokio::join!(rest(&mut client), rest(&mut app));
        if from_app {
            assert_eq!(to_client, [0_u8; 0]);
            assert_eq!(unmasked_code(&to_app), 1001);
        } else {
            assert_eq!(to_client, RESTART);
            assert_eq!(to_app, [0_u8; 0]);
        }
        let limit = MESSAGE_TIMEOUT + FRAME_TIMEOUT + WRITE_TIMEOUT + CLOSE_TIMEOUT;
        assert!(ended_at.elapsed() <= limit + Duration::from_millis(10), "{:?}", ended_at.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_cut_after_a_second_and_the_app_gets_a_masked_close_frame() {
    let tunnel = tunnel(Protocol::WebSocket, 1024);
    let ended_at = Instant::now();
    let (mut client, mut app, relayed) = tunnel.end();
    expect(&mut client, &RESTART).await;
    let frame = rest(&mut app).await;
    assert_eq!(unmasked_code(&frame), 1001);
    assert!(ended_at.elapsed().abs_diff(CLOSE_TIMEOUT) < Duration::from_millis(100), "{:?}", ended_at.elapsed());
    assert_eq!(rest(&mut client).await, [0_u8; 0]);
    assert!(timeout(LINGER * 2, relayed).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_disconnects_without_a_close_frame_leaves_the_app_one() {
    let (client, mut app, relayed) = tunnel(Protocol::WebSocket, 1024).end();
    drop(client);
    assert_eq!(unmasked_code(&rest(&mut app).await), 1001);
    drop(app);
    assert!(timeout(LINGER, relayed).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_of_the_app_passes_as_it_is_and_no_second_one_follows() {
    let mut tunnel = tunnel(Protocol::WebSocket, 1024);
    tunnel.app.write_all(&NORMAL).await.unwrap();
    expect(&mut tunnel.client, &NORMAL).await;
    let (mut client, mut app, relayed) = tunnel.end();
    client.write_all(&CLIENT_CLOSE).await.unwrap();
    assert_eq!(rest(&mut client).await, [0_u8; 0]);
    assert_eq!(rest(&mut app).await, CLIENT_CLOSE);
    assert_eq!(relayed.await.unwrap().closed_by, ClosedBy::App);
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_of_the_client_is_answered_by_the_app() {
    let mut tunnel = tunnel(Protocol::WebSocket, 1024);
    tunnel.client.write_all(&CLIENT_CLOSE).await.unwrap();
    expect(&mut tunnel.app, &CLIENT_CLOSE).await;
    let (mut client, mut app, relayed) = tunnel.end();
    sleep(MESSAGE_TIMEOUT / 2).await;
    app.write_all(&NORMAL).await.unwrap();
    assert_eq!(rest(&mut client).await, NORMAL);
    assert_eq!(rest(&mut app).await, [0_u8; 0]);
    assert_eq!(relayed.await.unwrap().closed_by, ClosedBy::Client);
}

#[tokio::test(start_paused = true)]
async fn without_an_end_both_close_frames_end_the_connections_soon() {
    let mut tunnel = tunnel(Protocol::WebSocket, 1024);
    tunnel.client.write_all(&CLIENT_CLOSE).await.unwrap();
    tunnel.app.write_all(&NORMAL).await.unwrap();
    assert_eq!(rest(&mut tunnel.client).await, NORMAL);
    assert_eq!(rest(&mut tunnel.app).await, CLIENT_CLOSE);
    let relayed = timeout(LINGER * 2, tunnel.relayed).await.unwrap().unwrap();
    assert_eq!(relayed.closed_by, ClosedBy::Client);
}

#[tokio::test(start_paused = true)]
async fn a_side_that_does_not_read_stops_the_other_and_the_end_comes_in_time() {
    for app_sends in [true, false] {
        let mut tunnel = tunnel(Protocol::WebSocket, 256);
        let (sender, receiver) =
            if app_sends { (&mut tunnel.app, &mut tunnel.client) } else { (&mut tunnel.client, &mut tunnel.app) };
        let mut sent = 0;
        while let Ok(written) = timeout(Duration::from_secs(1), sender.write_all(&TEXT)).await {
            written.unwrap();
            sent += TEXT.len();
        }
        assert!(sent <= CHUNK_BYTES + 3 * 256, "{sent} bytes were taken");
        let mut first = [0; 5];
        receiver.read_exact(&mut first).await.unwrap();
        assert_eq!(first, TEXT);
        let ended_at = Instant::now();
        let (_client, _app, relayed) = tunnel.end();
        relayed.await.unwrap();
        // Less than what the end of a process may take.
        let limit = MESSAGE_TIMEOUT + FRAME_TIMEOUT + WRITE_TIMEOUT + LINGER;
        assert!(ended_at.elapsed() <= limit + Duration::from_millis(10), "{:?}", ended_at.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_2_to_the_63_bytes_ends_the_websocket_with_an_error_and_goes_nowhere() {
    let huge = [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7];
    for (from_client, code) in [(true, 1002), (false, 1011)] {
        let Tunnel { mut client, mut app, end, relayed } = tunnel(Protocol::WebSocket, 1024);
        let sender = if from_client { &mut client } else { &mut app };
        sender.write_all(&huge).await.unwrap();
        expect(&mut client, &[0x88, 0x02, 0x03, 0xe8 + (code - 1000) as u8]).await;
        assert_eq!(unmasked_code(&rest(&mut app).await), 1002);
        assert_eq!(rest(&mut client).await, [0_u8; 0]);
        relayed.await.unwrap();
        drop(end);
    }
}

#[tokio::test(start_paused = true)]
async fn another_protocol_passes_bytes_both_ways_and_through_half_closes_and_is_cut_at_the_end() {
    let mut tunnel = tunnel(Protocol::Opaque, 1024);
    tunnel.client.write_all(&[0x88, 0x02, 0xff]).await.unwrap();
    tunnel.client.shutdown().await.unwrap();
    assert_eq!(rest(&mut tunnel.app).await, [0x88, 0x02, 0xff]);
    sleep(HALF_CLOSED_TIMEOUT * 10).await;
    tunnel.app.write_all(b"still here").await.unwrap();
    expect(&mut tunnel.client, b"still here").await;
    let (mut client, _app, relayed) = tunnel.end();
    assert_eq!(rest(&mut client).await, [0_u8; 0]);
    assert!(timeout(LINGER * 2, relayed).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_beginning_of_a_header_passes_where_its_sender_ends_there() {
    let mut tunnel = tunnel(Protocol::WebSocket, 1024);
    tunnel.app.write_all(&[0x81, 0x7e, 0x00]).await.unwrap();
    tunnel.app.shutdown().await.unwrap();
    assert_eq!(rest(&mut tunnel.client).await, [0x81, 0x7e, 0x00]);
    let ended_at = Instant::now();
    assert_eq!(rest(&mut tunnel.app).await, [0_u8; 0], "a WebSocket without an app ends soon");
    assert!(ended_at.elapsed() <= HALF_CLOSED_TIMEOUT, "{:?}", ended_at.elapsed());
}

#[tokio::test]
async fn a_relay_over_sockets_ends_when_the_app_resets_its_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || async {
        let connecting = tokio::net::TcpStream::connect(address);
        let (connected, accepted) = tokio::join!(connecting, listener.accept());
        (connected.unwrap(), accepted.unwrap().0)
    };
    let ((mut client, client_side), (mut app, app_side)) = (connect().await, connect().await);
    let relayed = tokio::spawn(relay(client_side, app_side, Protocol::WebSocket, pending(), || None));
    let big = [&[0x82, 0x7f, 0, 0, 0, 0, 0, 0x10, 0, 0][..], &vec![7; 1 << 20]].concat();
    let expected = big.clone();
    let (written, ()) = tokio::join!(app.write_all(&big), async {
        let mut bytes = vec![0; expected.len()];
        client.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes, expected);
    });
    written.unwrap();
    // Closed with unread data, it is reset.
    client.write_all(&TEXT).await.unwrap();
    app.readable().await.unwrap();
    drop(app);
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    drop(client);
    assert_eq!(relayed.await.unwrap().closed_by, ClosedBy::App);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_there_from_the_start_closes_at_once() {
    let ((mut client, client_side), (_app, app_side)) = (duplex(64), duplex(64));
    let end = ready(CloseCode::GOING_AWAY);
    let relayed = tokio::spawn(relay(client_side, app_side, Protocol::WebSocket, end, || None));
    expect(&mut client, &[0x88, 0x02, 0x03, 0xe9]).await;
    drop(client);
    relayed.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_app_that_leaves_without_a_close_frame_while_the_service_stops_gets_one_put_behind_its_last_frame() {
    for (last, expected) in [
        (&TEXT[..], [&TEXT[..], &RESTART].concat()),
        (&NORMAL, NORMAL.to_vec()),
        // In the middle of a header, and of a payload.
        (&[0x81, 0x7e, 0x00], vec![0x81, 0x7e, 0x00]),
        (&TEXT[..4], TEXT[..4].to_vec()),
    ] {
        let ((mut client, client_side), (mut app, app_side)) = (duplex(64), duplex(64));
        let lost_app = || Some(CloseCode::SERVICE_RESTART);
        let relayed = tokio::spawn(relay(client_side, app_side, Protocol::WebSocket, pending(), lost_app));
        app.write_all(last).await.unwrap();
        drop(app);
        assert_eq!(rest(&mut client).await, expected);
        drop(client);
        assert_eq!(relayed.await.unwrap().closed_by, ClosedBy::App);
    }
}
