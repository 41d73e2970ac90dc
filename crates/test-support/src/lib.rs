//! What tests of several crates need: real processes with real signals, people with a cookie jar and event streams,
//! and the numbers of a metrics page. For tests alone: whatever goes wrong here panics and says what.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "test support panics with a reason")]

mod browser;
mod events;
mod generated;
mod haproxy;
pub mod kubernetes;
mod nginx;
mod person;
mod pod;
mod process;
mod redis;
mod site;
mod slow_form;
mod slow_proxy;
mod unread;

use std::time::Duration;

pub use browser::{Browser, Key, TypingData};
pub use events::{Event, Events};
pub use generated::assert_generated;
pub use haproxy::Haproxy;
pub use nginx::{Nginx, Trouble};
pub use person::Person;
pub use pod::UserPod;
pub use process::{Process, Signal};
pub use redis::{Redis, free_port};
pub use site::Site;
pub use slow_form::send_forms_byte_by_byte;
pub use slow_proxy::SlowProxy;
pub use unread::Unread;

/// htmx and Turbo as they were published; see the README beside them. Both put saved HTML back into a page.
pub const HTMX: &str = include_str!("../vendor/htmx.min.js");
/// See [`HTMX`].
pub const TURBO: &str = include_str!("../vendor/turbo.js");

/// How long a test waits for something that must come. Long enough for a busy machine; nothing waits for it to pass.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The value of a series on a metrics page, by its full name with labels; `None` where it is not there.
pub fn metric(page: &str, series: &str) -> Option<f64> {
    page.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.parse().unwrap())
    })
}

/// Waits until `probe` gives something, asking again and again.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut probe: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("never came: {what}"))
}
