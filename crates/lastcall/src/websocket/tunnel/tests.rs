//! When a tunnel is closed, in process.

use std::time::Duration;

use futures_util::FutureExt as _;
use session_domain::{PodName, UserName};
use test_support::metric;
use tokio::time::timeout;

use super::*;
use crate::Lastcall;
use crate::event_streams::CloseReason;

fn lastcall() -> Lastcall {
    Lastcall::builder(PodName::new("user-1").unwrap()).build()
}

fn session(lastcall: &Lastcall) -> ServedSession {
    ServedSession::Own(lastcall.state().start_session(UserName::anonymous()).unwrap())
}

#[tokio::test]
async fn a_session_that_is_asked_to_move_closes_the_tunnels_that_are_open_and_none_that_comes_back() {
    let lastcall = lastcall();
    let session = session(&lastcall);
    let guard = TunnelGuard::open(lastcall.state(), Some(&session)).unwrap();
    let open = guard.closing();
    session.streams().ask_to_move();
    assert_eq!(timeout(Duration::from_secs(5), open).await, Ok(1012));
    assert_eq!(guard.closing().now_or_never(), Some(1012), "it was opened before");
    let returned = TunnelGuard::open(lastcall.state(), Some(&session)).unwrap();
    assert_eq!(returned.closing().now_or_never(), None);
    session.streams().close_all(CloseReason::Moved);
    assert_eq!(returned.closing().now_or_never(), Some(1012));
}

#[tokio::test]
async fn many_tunnels_of_a_session_evict_neither_each_other_nor_a_websocket_and_count_while_they_live() {
    let lastcall = lastcall();
    let session = session(&lastcall);
    let counts = || {
        let ServedSession::Own(live) = &session else { unreachable!() };
        let open = metric(&lastcall.render_metrics(), "lastcall_websocket_connections").unwrap();
        (open, live.view(&PodName::new("user-1").unwrap(), false, true).websockets)
    };
    let (socket, state) = session.streams().open(StreamKind::WebSocket, 20);
    let tunnels: Vec<_> = (0..50).map(|_| TunnelGuard::open(lastcall.state(), Some(&session)).unwrap()).collect();
    let _second = session.streams().open(StreamKind::WebSocket, 20);
    assert!(!state.borrow().is_evicted(StreamKind::WebSocket, socket));
    assert!(tunnels.iter().all(|tunnel| tunnel.closing().now_or_never().is_none()));
    let untracked = TunnelGuard::open(lastcall.state(), None).unwrap();
    assert_eq!(counts(), (51.0, 50));
    drop((tunnels, untracked));
    assert_eq!(counts(), (0.0, 0));
}

#[tokio::test]
async fn the_end_of_a_session_closes_its_tunnels_with_1001() {
    let lastcall = lastcall();
    let session = session(&lastcall);
    let guard = TunnelGuard::open(lastcall.state(), Some(&session)).unwrap();
    let closing = guard.closing();
    session.streams().close_all(CloseReason::Logout);
    assert_eq!(timeout(Duration::from_secs(5), closing).await, Ok(1001));
}
