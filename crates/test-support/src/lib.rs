//! Test support for several crates: real processes and signals, real proxies and browsers, HTTP users with a cookie jar and
//! event streams, and a double of the Kubernetes API. For tests only: errors panic with the reason.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "test support panics with a reason")]

mod browser;
mod events;
mod generated;
mod haproxy;
mod http2;
pub mod kubernetes;
mod nginx;
mod person;
mod pod;
mod postgres;
mod process;
mod raw_app;
mod redis;
mod site;
mod slow_form;
mod slow_proxy;
mod unread_log;
mod websocket;

use std::time::Duration;

pub use browser::{Browser, Key, TypingData};
pub use events::{Event, Events};
pub use generated::assert_generated;
pub use haproxy::Haproxy;
pub use http2::{Frame, FrameKind, Http2};
pub use nginx::{Nginx, ProxyFault};
pub use person::Person;
pub use pod::UserPod;
pub use postgres::Postgres;
pub use process::{Process, Signal};
pub use raw_app::{RawAnswer, RawApp};
pub use redis::{Redis, free_port};
pub use site::Site;
pub use slow_form::send_forms_byte_by_byte;
pub use slow_proxy::SlowProxy;
pub use unread_log::UnreadLogProcess;
pub use websocket::{KEY, Socket};

/// htmx, unmodified; see the README beside it. Like Turbo, it restores saved HTML into a page.
pub const HTMX: &str = include_str!("../vendor/htmx.min.js");
/// Turbo, unmodified. See [`HTMX`].
pub const TURBO: &str = include_str!("../vendor/turbo.js");

/// How long a test waits for an expected event: long enough for a busy machine. No test waits until it has passed.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the value of a series on a metrics page, by its full name with labels.
pub fn metric(page: &str, series: &str) -> Option<f64> {
    page.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.parse().unwrap())
    })
}

/// Polls `probe` until it returns a value.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut probe: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, asking).await.unwrap_or_else(|_| panic!("never came: {what}"))
}
