//! The user tier as a process: the built binary, real signals, real streams, the log against the contract.

#![allow(clippy::unwrap_used, reason = "a test panics where something is missing")]

mod accessible;
mod admission;
mod bad_input;
mod bad_store;
mod between_pods;
mod bounds;
mod browser;
mod chat;
mod closers;
mod configuration;
mod drain;
mod flood;
mod grpc;
mod handoff;
mod hostile;
mod identity;
mod last_metrics;
mod maintenance;
mod notes_database;
mod outage;
mod pictures;
mod probe_listener;
mod proxies;
mod proxy;
mod redis_kinds;
mod replaced;
mod rolling;
mod sharing;
mod signals;
mod storm;
mod streams;
mod switch;
mod tasks;
mod token;
mod unread_log;
mod upstream;
mod websockets;
mod work;
mod work_in_progress;

use test_support::UserPod;

/// The built binary.
const BINARY: &str = env!("CARGO_BIN_EXE_user-tier");

/// Waits that a test can afford.
const QUICK: [(&str, &str); 3] =
    [("DRAIN_TIMEOUT", "3s"), ("PROPAGATION_WAIT", "300ms"), ("DRAIN_PROGRESS_INTERVAL", "1s")];

/// A pod with short waits, and `options` on top of them.
async fn pod(options: &[(&str, &str)]) -> UserPod {
    UserPod::start(BINARY, "user-1", &[&QUICK, options].concat()).await
}
