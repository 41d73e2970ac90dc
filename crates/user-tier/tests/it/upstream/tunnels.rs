//! WebSockets and other upgraded connections of the app behind the user tier.

mod app;

use futures_util::future::join_all;
use test_support::{Person, Signal, UserPod, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(super) use self::app::App;
use super::{in_front_of_url, metric};

/// How many WebSockets are drained at once: a thousand take no other path.
const SESSIONS: usize = 10;
const SOCKETS_PER_SESSION: usize = 20;

/// A user with a session, which a navigation starts.
pub(super) async fn visitor(pod: &UserPod) -> Person {
    let person = pod.person();
    let navigation = person.request("/").header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
    assert_eq!(navigation.header("accept", "text/html").send().await.unwrap().status(), 200);
    person
}

#[tokio::test]
async fn a_drain_closes_every_websocket_of_the_app_with_1012_between_frames_and_the_app_gets_the_clients_close_frame() {
    let app = App::start().await;
    let mut pod = in_front_of_url(&app.url(), &[("DRAIN_TIMEOUT", "4s")]).await;
    let mut sockets = Vec::new();
    for _ in 0..SESSIONS {
        let person = visitor(&pod).await;
        for _ in 0..SOCKETS_PER_SESSION {
            sockets.push(person.websocket("/chatter").await);
        }
    }
    let all = (SESSIONS * SOCKETS_PER_SESSION) as f64;
    assert_eq!(metric(&pod, "lastcall_websocket_connections").await, all);
    assert_eq!(metric(&pod, "lastcall_sessions_present").await, SESSIONS as f64);
    pod.signal(Signal::SIGTERM);
    // The app sends messages in fragments all the time. A Close frame inside a frame would be part of its payload.
    let codes = join_all(sockets.iter_mut().map(|socket| socket.close_code())).await;
    assert_eq!(codes, vec![Some(1012); codes.len()]);
    assert!(pod.wait().await.success());
    assert_eq!(app.close_codes(codes.len()).await, vec![1012; codes.len()], "of the clients");
}

#[tokio::test]
async fn a_websocket_without_a_session_is_echoed_and_closed_with_1012_and_one_whose_session_ends_with_1001() {
    let app = App::start().await;
    let mut pod = in_front_of_url(&app.url(), &[]).await;
    let (person, stranger) = (visitor(&pod).await, pod.person());
    let (mut own, mut other) = (person.websocket("/echo").await, stranger.websocket("/echo").await);
    own.send("h\u{e9}llo").await;
    assert_eq!(own.text().await, "h\u{e9}llo");
    assert_eq!(metric(&pod, "lastcall_websocket_connections").await, 2.0);
    person.post("/_lastcall/logout").send().await.unwrap();
    assert_eq!(own.close_code().await, Some(1001));
    other.send("still there").await;
    assert_eq!(other.text().await, "still there");
    eventually("the count to fall", || async {
        (metric(&pod, "lastcall_websocket_connections").await == 1.0).then_some(())
    })
    .await;
    pod.signal(Signal::SIGTERM);
    assert_eq!(other.close_code().await, Some(1012));
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn a_frame_of_2_to_the_63_bytes_is_answered_with_1002_and_never_reaches_the_app() {
    let app = App::start().await;
    let pod = in_front_of_url(&app.url(), &[]).await;
    let mut socket = pod.person().websocket("/echo").await;
    let huge = [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4];
    socket.connection().write_all(&huge).await.unwrap();
    assert_eq!(socket.close_code().await, Some(1002));
    assert_eq!(app.close_codes(1).await, [1002], "a Close frame of a client, masked");
}

#[tokio::test]
async fn another_protocol_passes_bytes_both_ways_and_is_cut_at_the_end() {
    let app = App::start().await;
    let mut pod = in_front_of_url(&app.url(), &[]).await;
    let opening = pod.person().request("/bytes").header("connection", "upgrade").header("upgrade", "bytes/1");
    let response = opening.send().await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["upgrade"]), (101, &"bytes/1".parse().unwrap()));
    let mut connection = response.upgrade().await.unwrap();
    connection.write_all(&[0x88, 0x02, 0x03]).await.unwrap();
    let mut echoed = [0; 3];
    connection.read_exact(&mut echoed).await.unwrap();
    assert_eq!(echoed, [0x88, 0x02, 0x03]);
    pod.signal(Signal::SIGTERM);
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "no Close frame: {rest:x?}");
    assert!(pod.wait().await.success());
}
