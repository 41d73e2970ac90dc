//! A request every two seconds: the session, an upload, the page.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::{JSON, PAGE, User};
use crate::soak::tally::{Noticed, Trouble};

const INTERVAL: Duration = Duration::from_secs(2);

/// Sends requests until `stop`.
pub(in crate::soak) async fn run(user: Arc<User>, mut random: fastrand::Rng, stop: CancellationToken) {
    sleep(INTERVAL.mul_f64(random.f64())).await;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut turn = random.u32(0..4);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        turn += 1;
        let epoch = user.epoch();
        let (what, result) = match turn % 4 {
            0 => ("GET /", user.load_page().await),
            1 => ("POST /uploads", user.upload().await),
            _ => ("GET /session", user.check_session().await),
        };
        match result {
            Err(trouble) if user.epoch() == epoch => user.report(trouble, what),
            // The user signed in again meanwhile.
            Err(_) | Ok(()) => {}
        }
    }
}

impl User {
    /// The page is complete and shows this user.
    async fn load_page(&self) -> Result<(), Noticed> {
        let page = self.expect(200, "GET", "/", PAGE, "").await?;
        if !page.contains("</html>") {
            return Err(Trouble::WrongAnswer.into());
        }
        let shows = |attribute: &str, value: &str| page.contains(&format!("{attribute}=\"{value}\""));
        let session_id = self.state.lock().session_id.clone();
        let is_mine = shows("data-user", &self.name) && shows("data-session-id", &session_id);
        if is_mine { Ok(()) } else { Err(Trouble::SessionLost.into()) }
    }

    /// The upload arrives completely.
    async fn upload(&self) -> Result<(), Noticed> {
        const FILE: &str = "a few words that the pod counts";
        let answer = self.expect(200, "POST", "/uploads", JSON, FILE).await?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        if answer["bytes"] == FILE.len() { Ok(()) } else { Err(Trouble::WrongAnswer.into()) }
    }

    /// The session is the same.
    async fn check_session(&self) -> Result<(), Noticed> {
        let session = self.expect(200, "GET", "/session", JSON, "").await?;
        let session: Value = serde_json::from_str(&session).map_err(|_| Trouble::WrongAnswer)?;
        if session["session_id"] != self.state.lock().session_id.as_str() || session["user"] != self.name.as_str() {
            return Err(Trouble::SessionLost.into());
        }
        if !session["drain"].is_null() {
            self.show_banner();
        }
        Ok(())
    }
}
