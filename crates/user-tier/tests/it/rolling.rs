//! Rolling restarts and scale-downs of three pods behind HAProxy, which routes as a Kubernetes Service does, under 25 users of four kinds.
//! The users' observations form a model, and the pods' counters must equal it.
//!
//! `ROUNDS=10 cargo test -p user-tier --test it rolling -- --nocapture` is the long form, and prints each drain.

mod client;
mod fleet;
mod journal;
mod model;
mod notes;
mod pages;
mod released;
mod requests;
mod streams;

use std::env;

use fleet::Fleet;
use test_support::Browser;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use client::{Client, Connections};
use streams::Reaction;

/// How many users of each kind: 25 in all.
const KEPT_ALIVE: usize = 7;
const CONNECTION_A_REQUEST: usize = 7;
const STREAM_ONLY: usize = 5;
/// A stream, and a request after each notice.
const SAVING: usize = 2;
const PAGES: usize = 4;

/// What a forced end does to a shared session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ForcedEnd {
    Delete,
    Release,
}

impl ForcedEnd {
    const fn option(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Release => "release",
        }
    }
}

/// What happens to the pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Each is replaced, one after the other, as often as `ROUNDS` says.
    RollingRestart,
    /// All but one end at once.
    ScaleDown,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rolling_restarts_end_sessions_as_announced_and_count_each_once() {
    users_see_what_pods_count(Act::RollingRestart, ForcedEnd::Delete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rolling_restarts_with_release_sign_no_user_out_and_move_every_session() {
    users_see_what_pods_count(Act::RollingRestart, ForcedEnd::Release).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scale_down_ends_sessions_as_announced_and_counts_each_once() {
    users_see_what_pods_count(Act::ScaleDown, ForcedEnd::Delete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scale_down_with_release_signs_no_user_out_and_moves_every_session() {
    users_see_what_pods_count(Act::ScaleDown, ForcedEnd::Release).await;
}

/// Runs users of all kinds while pods exit, and compares.
async fn users_see_what_pods_count(act: Act, forced_end: ForcedEnd) {
    let mut fleet = Fleet::start(forced_end).await;
    let browser = Browser::open().await;
    let sessions = pages::open(&browser, &fleet.haproxy.address, PAGES).await;
    let (stop, mut users) = (CancellationToken::new(), JoinSet::new());
    for (connections, kind, count) in
        [(Connections::KeptAlive, "kept", KEPT_ALIVE), (Connections::OneEach, "each", CONNECTION_A_REQUEST)]
    {
        for n in 0..count {
            let client = Client::new(&fleet.haproxy.address, connections, &format!("{kind}-{n}"));
            users.spawn(requests::run(client, forced_end, stop.clone()));
        }
    }
    for (reaction, kind, count) in [(Reaction::Leave, "stream", STREAM_ONLY), (Reaction::Save, "saving", SAVING)] {
        for n in 0..count {
            let client = Client::new(&fleet.haproxy.address, Connections::KeptAlive, &format!("{kind}-{n}"));
            users.spawn(streams::run(client, reaction, stop.clone()));
        }
    }
    fleet.wait_for_sessions(KEPT_ALIVE + CONNECTION_A_REQUEST + STREAM_ONLY + SAVING + PAGES).await;
    match act {
        Act::RollingRestart => {
            let rounds = env::var("ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
            for _ in 0..rounds {
                fleet.restart_all().await;
            }
        }
        Act::ScaleDown => fleet.scale_down().await,
    }
    let mut journals = pages::close(&browser, &sessions).await;
    stop.cancel();
    while let Some(journal) = users.join_next().await {
        journals.push(journal.unwrap());
    }
    journals.sort_by(|one, other| one.user.cmp(&other.user));
    let violations = model::compare(&journals, &mut fleet, forced_end).await;
    if !violations.is_empty() {
        let state = fleet.state().await;
        panic!("{state}\n\n{} violations:\n{}", violations.len(), violations.join("\n"));
    }
}
