//! A fleet of fake pods over real gRPC, to see how the admin tier bears it: `fleet PODS SESSIONS_A_POD CHANGES_A_SECOND`.
//! Prints their addresses as `USER_PODS` takes them. Of ten changes eight are activity, one is a login, one a logout.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for developers, not a part of the tier")]

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../tests/it/fake_pod.rs"]
mod fake_pod;

use std::time::Duration;

use fake_pod::{FakePod, changes, pod, session};
use session_wire::v1::Session;
use session_wire::v1::watch_sessions_response::{Event, Snapshot};
use tokio::time::interval;

#[tokio::main]
async fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).map(|argument| argument.parse().unwrap()).collect();
    let &[pods, each, changes_a_second] = numbers.as_slice() else {
        println!("fleet PODS SESSIONS_A_POD CHANGES_A_SECOND");
        return;
    };
    let mut fleet: Vec<(String, FakePod, Vec<Session>)> = Vec::new();
    for number in 0..pods {
        let name = format!("user-{number:03}");
        let rows: Vec<_> = (0..each).map(|n| session(&name, &format!("User {number}-{n}"), 600)).collect();
        let mut said = vec![Event::Pod(pod(&name, each))];
        let mut parts = rows.chunks(1_000).peekable();
        while let Some(part) = parts.next() {
            said.push(Event::Snapshot(Snapshot { sessions: part.to_vec(), end: parts.peek().is_none() }));
        }
        let fake = FakePod::saying(said).await;
        fleet.push((name, fake, rows));
    }
    println!("{}", fleet.iter().map(|(_, fake, _)| fake.address.as_str()).collect::<Vec<_>>().join(","));
    let mut ticks = interval(Duration::from_millis(100));
    let mut turn = 0_usize;
    loop {
        ticks.tick().await;
        for _ in 0..changes_a_second / 10 {
            turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let count = fleet.len();
            let (name, fake, rows) = &mut fleet[(turn >> 33) % count];
            let at = (turn >> 13) % rows.len();
            let event = match (turn >> 40) % 10 {
                0 => {
                    rows.push(session(name, &format!("Newcomer {turn}"), 0));
                    changes(&rows[rows.len() - 1..], &[])
                }
                1 if rows.len() > 1 => changes(&[], &[&rows.swap_remove(at)]),
                _ => {
                    rows[at].last_activity = session(name, "", 0).last_activity;
                    changes(&rows[at..=at], &[])
                }
            };
            fake.say(event);
            // A pod whose list is not what it counts would be listed anew.
            fake.say(Event::Pod(pod(name, rows.len() as u64)));
        }
    }
}
