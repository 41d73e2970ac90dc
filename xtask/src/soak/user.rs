//! A simulated user: signs in once, sends a request every two seconds, and keeps an event stream open as the page
//! does. One in ten has no stream and polls, and one in ten sleeps at times, as a laptop does.

mod handoff;
mod poll;
mod requests;
mod sleeper;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::browser::Browser;
use super::tally::{ErrorKind, Tally, UserError};

/// What browsers accept of a page.
const PAGE: &str = "text/html,application/xhtml+xml";
const JSON: &str = "application/json";

/// How long a user waits before the next attempt to sign in.
const SIGN_IN_PAUSE: Duration = Duration::from_secs(1);

/// How a user stays in touch with the pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By an event stream.
    Streams,
    /// Without a stream: by asking for the session.
    Polls,
    /// By an event stream, and not at all for a while.
    Sleeps,
}

impl Kind {
    pub(super) const fn of(number: u32) -> Self {
        match number % 10 {
            3 => Self::Polls,
            7 => Self::Sleeps,
            _ => Self::Streams,
        }
    }
}

/// A user.
pub(super) struct User {
    name: String,
    kind: Kind,
    browser: Browser,
    tally: Arc<Tally>,
    state: Mutex<UserState>,
    is_asleep: watch::Sender<bool>,
}

#[derive(Default)]
struct UserState {
    /// Changes with each sign-in. What was asked before does not count after it.
    epoch: u64,
    session_id: String,
    /// Since when the banner is shown.
    banner_since: Option<Instant>,
}

impl User {
    pub(super) fn new(number: u32, proxy: SocketAddr, speaks_http2: bool, tally: &Arc<Tally>) -> Arc<Self> {
        let browser = Browser::new(proxy, speaks_http2, Arc::clone(&tally.repeated));
        let (name, kind, tally) = (format!("user-{number}"), Kind::of(number), Arc::clone(tally));
        Arc::new(Self { name, kind, browser, tally, state: Mutex::default(), is_asleep: watch::Sender::new(false) })
    }

    /// Lets the user work until `stop`.
    pub(super) fn start(
        self: &Arc<Self>,
        mut random: fastrand::Rng,
        stop: &CancellationToken,
        tasks: &mut JoinSet<()>,
    ) {
        tasks.spawn(requests::run(Arc::clone(self), random.fork(), stop.clone()));
        if self.kind == Kind::Sleeps {
            tasks.spawn(sleeper::run(Arc::clone(self), random.fork(), stop.clone()));
        }
        if self.kind == Kind::Polls {
            tasks.spawn(poll::run(Arc::clone(self), random, stop.clone()));
        } else {
            tasks.spawn(stream::run(Arc::clone(self), random, stop.clone()));
        }
    }

    /// Signs in, and tries until it succeeds.
    pub(super) async fn sign_in(&self) {
        while let Err(error) = self.try_to_sign_in().await {
            self.report(error, "signing in");
            sleep(SIGN_IN_PAUSE).await;
        }
    }

    async fn try_to_sign_in(&self) -> Result<(), UserError> {
        self.browser.forget_cookies();
        self.expect(200, "GET", "/", PAGE, "").await?;
        self.expect(303, "POST", "/login", PAGE, &format!("user={}", self.name)).await?;
        let session = self.expect(200, "GET", "/session", JSON, "").await?;
        let session: Value = serde_json::from_str(&session).map_err(|_| ErrorKind::WrongAnswer)?;
        let id = session["session_id"].as_str().ok_or(ErrorKind::WrongAnswer)?;
        let mut state = self.state.lock();
        state.session_id = id.to_owned();
        state.epoch += 1;
        Ok(())
    }

    /// Has lost the session, or was signed out as announced: signs in again.
    async fn sign_in_again(&self) {
        self.state.lock().epoch += 1;
        self.hide_banner();
        self.tally.count(|counts| counts.sign_ins += 1);
        self.sign_in().await;
    }

    /// Sends a request and returns the body of an answer with this status.
    async fn expect(
        &self,
        status: u16,
        method: &str,
        path: &str,
        accept: &str,
        body: &str,
    ) -> Result<String, UserError> {
        self.tally.request();
        match self.browser.fetch(method, path, accept, body).await {
            Ok((answered, body)) if answered == status => Ok(body),
            Ok((other, body)) => Err(UserError::answer(other, &body)),
            Err(failure) => Err(ErrorKind::Failure(failure).into()),
        }
    }

    fn report(&self, error: impl Into<UserError>, what: &str) {
        self.tally.error(error.into(), &format!("{} {what}", self.name));
    }

    fn epoch(&self) -> u64 {
        self.state.lock().epoch
    }

    fn show_banner(&self) {
        let mut state = self.state.lock();
        if state.banner_since.is_none() {
            state.banner_since = Some(Instant::now());
            self.tally.banner();
        }
    }

    fn hide_banner(&self) {
        if let Some(since) = self.state.lock().banner_since.take() {
            self.tally.count(|counts| counts.attention += since.elapsed());
        }
    }
}
