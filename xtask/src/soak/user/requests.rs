//! A request every two seconds: the session, an upload, the page.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::{JSON, PAGE, User};
use crate::soak::tally::{ErrorKind, UserError};

const INTERVAL: Duration = Duration::from_secs(2);

/// Sends requests until `stop`.
pub(super) async fn run(user: Arc<User>, mut random: fastrand::Rng, stop: CancellationToken) {
    sleep(INTERVAL.mul_f64(random.f64())).await;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut turn = random.u32(0..4);
    loop {
        tokio::select! {
            () = async { ticks.tick().await; user.awake().await } => {}
            () = stop.cancelled() => return,
        }
        turn += 1;
        let epoch = user.epoch();
        let (what, result) = match turn % 4 {
            0 => ("GET /", user.load_page().await),
            1 => ("POST /uploads", user.upload().await),
            _ => ("GET /session", user.check_session().await.map(drop)),
        };
        match result {
            Err(error) if user.epoch() == epoch => user.report(error, what),
            // The user signed in again meanwhile.
            Err(_) | Ok(()) => {}
        }
    }
}

impl User {
    /// The page is complete and shows this user. It may carry a notice.
    async fn load_page(&self) -> Result<(), UserError> {
        let page = self.expect(200, "GET", "/", PAGE, "").await?;
        if !page.contains("</html>") {
            return Err(ErrorKind::WrongAnswer.into());
        }
        let shows = |attribute: &str, value: &str| page.contains(&format!("{attribute}=\"{value}\""));
        let session_id = self.state.lock().session_id.clone();
        if !shows("data-user", &self.name) || !shows("data-session-id", &session_id) {
            return Err(ErrorKind::SessionLost.into());
        }
        match rendered_notice(&page) {
            None => Err(ErrorKind::WrongAnswer.into()),
            Some("null") => Ok(()),
            Some(_) => {
                self.show_banner();
                Ok(())
            }
        }
    }

    /// The upload arrives completely.
    async fn upload(&self) -> Result<(), UserError> {
        const FILE: &str = "a few words that the pod counts";
        let answer = self.expect(200, "POST", "/uploads", JSON, FILE).await?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        if answer["bytes"] == FILE.len() { Ok(()) } else { Err(ErrorKind::WrongAnswer.into()) }
    }

    /// The session is the same. Returns the notice that its banner shows, or null.
    pub(super) async fn check_session(&self) -> Result<Value, UserError> {
        let session = self.expect(200, "GET", "/session", JSON, "").await?;
        let mut session: Value = serde_json::from_str(&session).map_err(|_| ErrorKind::WrongAnswer)?;
        if session["session_id"] != self.state.lock().session_id.as_str() || session["user"] != self.name.as_str() {
            return Err(ErrorKind::SessionLost.into());
        }
        let notice = session["drain"].take();
        if !notice.is_null() {
            self.show_banner();
        }
        Ok(notice)
    }
}

/// The notice that was rendered into a page (`home.html`), as escaped JSON: `null` without one.
fn rendered_notice(page: &str) -> Option<&str> {
    page.split_once("data-drain=\"")?.1.split_once('"').map(|(notice, _)| notice)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::soak::tally::Tally;

    #[tokio::test]
    async fn a_notice_that_was_rendered_into_a_page_is_a_banner() {
        for (notice, banners) in [("null", 0), ("{&#34;reason&#34;:&#34;shutdown&#34;}", 1)] {
            let tally = Arc::new(Tally::new());
            let page = format!(
                "<div data-drain=\"{notice}\"></div><main data-session-id=\"\" data-user=\"user-0\"></main></html>"
            );
            let user = User::new(0, serve_once(page).await, false, &tally);
            assert!(user.load_page().await.is_ok(), "{notice}");
            assert_eq!(tally.snapshot().banners.values().sum::<u64>(), banners, "{notice}");
        }
    }

    /// Answers one request with this page.
    async fn serve_once(page: String) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("{error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        tokio::spawn(async move {
            let Ok((mut client, _)) = listener.accept().await else { return };
            let mut head = [0; 4_096];
            let _ = client.read(&mut head).await;
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len());
            let _ = client.write_all(answer.as_bytes()).await;
        });
        address
    }
}
