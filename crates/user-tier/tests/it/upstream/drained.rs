//! Tunnels of a pod that `user-tier drain` has drained: it goes on proxying until SIGTERM.

use std::time::Duration;

use test_support::{Process, Signal, UserPod, eventually};
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, timeout};

use super::tunnels::{App, visitor};
use super::{in_front_of_url, metric};
use crate::BINARY;

/// What the end of a service may take: `CLOSING_TIME`, and some for a busy machine.
const LONGEST_END: Duration = Duration::from_secs(10);

fn drain_command(pod: &UserPod) -> Process {
    let log = pod.log();
    let line = log.iter().find(|line| line.contains("probe.address=")).unwrap();
    let probes = line.split("probe.address=\"").nth(1).unwrap().split('"').next().unwrap();
    Process::start(BINARY, &["drain"], &[("PROBE_ADDR", probes)])
}

#[tokio::test]
async fn tunnels_that_are_open_at_a_drain_or_opened_after_it_end_with_1012_and_silent_clients_do_not_hold_the_exit() {
    let app = App::start().await;
    let options = [("DRAIN_TIMEOUT", "2s"), ("PROPAGATION_WAIT", "2s"), ("PRESENCE_LINGER", "0s")];
    let mut pod = in_front_of_url(&app.url(), &options).await;
    let (person, stranger) = (visitor(&pod).await, pod.person());
    let mut left = stranger.websocket("/leave").await;
    left.send("go").await;
    assert_eq!(left.close_code().await, None, "while the pod serves, the client sees the end as it is");
    let (mut own, mut other) = (person.websocket("/chatter").await, stranger.websocket("/chatter").await);
    let mut drain = drain_command(&pod);
    assert_eq!(own.close_code().await, Some(1012), "of the session, in the countdown");
    pod.line("endpoint removal").await;
    assert_eq!(other.close_code().await, Some(1012), "of none, in the propagation");
    assert_eq!(drain.wait().await.code(), Some(0));
    pod.line("Drained, serving until SIGTERM").await;
    assert_eq!(app.close_codes(2).await, [1012, 1012]);

    // The session has ended: its cookie opens nothing, and the app is there.
    let (mut late, mut chatter) = (person.websocket("/echo").await, stranger.websocket("/chatter").await);
    late.send("late").await;
    assert_eq!(late.text().await, "late");
    // The container of the app ends before that of Lastcall.
    let mut left = stranger.websocket("/leave").await;
    left.send("go").await;
    assert_eq!(left.close_code().await, Some(1012), "the app has gone without a Close frame");
    let mut silent = pod.person().opening("/echo").send().await.unwrap().upgrade().await.unwrap();
    // The first ones take a moment to end.
    let counted = || async { (metric(&pod, "lastcall_websocket_connections").await == 3.0).then_some(()) };
    eventually("three tunnels", counted).await;
    let before = Instant::now();
    pod.signal(Signal::SIGTERM);
    assert_eq!((late.close_code().await, chatter.close_code().await), (Some(1012), Some(1012)));
    let mut bytes = Vec::new();
    let _ = timeout(LONGEST_END, silent.read_to_end(&mut bytes)).await.expect("cut");
    assert_eq!(bytes, [0x88, 2, 0x03, 0xf4], "a Close frame 1012, and the end");
    assert_eq!(pod.wait().await.code(), Some(0));
    assert!(before.elapsed() < LONGEST_END, "{:?}", before.elapsed());
    let mut codes = app.close_codes(5).await.split_off(2);
    codes.sort_unstable();
    assert_eq!(codes[..3], [1001, 1012, 1012], "of the silent client in its place, and of the others");
}
