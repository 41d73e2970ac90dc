//! A page without an event stream: it asks for the session every 5 s, and every 2 s during a countdown
//! (`connection.js`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::stream::automatic_logout;
use super::{PAGE, User};
use crate::soak::tally::ErrorKind;

const IDLE: Duration = Duration::from_secs(5);
const COUNTDOWN: Duration = Duration::from_secs(2);

/// Asks for the session until `stop`.
pub(super) async fn run(user: Arc<User>, mut random: fastrand::Rng, stop: CancellationToken) {
    let mut logout_at: Option<Instant> = None;
    loop {
        let pause = if logout_at.is_some() { COUNTDOWN } else { IDLE };
        let next = Instant::now() + pause.mul_f64(0.5 + random.f64() / 2.0);
        let next = logout_at.map_or(next, |logout_at| logout_at.min(next));
        tokio::select! {
            () = sleep_until(next.into()) => {}
            () = stop.cancelled() => return,
        }
        if logout_at.is_some_and(|logout_at| logout_at <= Instant::now()) {
            // The page signs out in time; the answer does not matter any more.
            let _ = user.browser.fetch("GET", "/logout?reason=drain", PAGE, "").await;
            user.sign_in_again().await;
            logout_at = None;
            continue;
        }
        match user.check_session().await {
            Ok(notice) if notice.is_null() => {
                user.hide_banner();
                logout_at = None;
            }
            // The time is chosen once.
            Ok(notice) => logout_at = logout_at.or_else(|| automatic_logout(&notice, &mut random)),
            Err(error) => {
                let is_lost = error.kind == ErrorKind::SessionLost;
                user.report(error, "GET /session, polling");
                if is_lost {
                    user.sign_in_again().await;
                    logout_at = None;
                }
            }
        }
    }
}
