//! A user's HTTP client: one cookie jar, and connections that are kept or opened for each request.

use std::sync::Arc;
use std::time::Duration;

use reqwest::cookie::Jar;
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use test_support::TEST_TIMEOUT;
use tokio::time::{Instant, sleep};

use super::journal::Journal;

/// How the requests of a user reach the Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connections {
    /// All on one connection, while it is open.
    KeptAlive,
    /// Each on a connection of its own.
    OneEach,
}

/// One user's client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) connections: Connections,
    kept: reqwest::Client,
    fresh: reqwest::Client,
    host: String,
}

impl Client {
    pub(super) fn new(host: &str, connections: Connections, name: &str) -> Self {
        let jar = Arc::new(Jar::default());
        let builder = || reqwest::Client::builder().cookie_provider(Arc::clone(&jar)).redirect(Policy::none());
        Self {
            name: name.to_owned(),
            connections,
            kept: builder().pool_max_idle_per_host(1).build().unwrap(),
            fresh: builder().pool_max_idle_per_host(0).build().unwrap(),
            host: host.to_owned(),
        }
    }

    /// A request over this user's route.
    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.by(self.connections).get(self.url(path)).header("accept", accept(path))
    }

    /// A request on a new connection.
    pub(super) fn get_anew(&self, path: &str) -> RequestBuilder {
        self.fresh.get(self.url(path)).header("accept", accept(path))
    }

    /// Sends `GET` over this user's route. A kept connection that closes unanswered costs one repetition, as in browsers.
    pub(super) async fn send(&self, path: &str, journal: &mut Journal) -> Result<Response, String> {
        journal.requests += 1;
        let refused = |error: reqwest::Error| format!("GET {path}: {error:?}");
        match self.get(path).timeout(TEST_TIMEOUT).send().await {
            Err(error) if self.connections == Connections::KeptAlive && !error.is_connect() && !error.is_timeout() => {
                journal.repeated += 1;
                self.get(path).timeout(TEST_TIMEOUT).send().await.map_err(refused)
            }
            answer => answer.map_err(refused),
        }
    }

    /// Opens the page and signs in: a session starts. Returns `/session`, or none if that was not possible for long.
    pub(super) async fn arrive(&self, journal: &mut Journal) -> Option<Value> {
        let until = Instant::now() + TEST_TIMEOUT;
        while Instant::now() < until {
            // A pod that shuts down asks newcomers to try again, and closes the connection.
            if self.get("/").timeout(TEST_TIMEOUT).send().await.is_ok_and(|answer| answer.status() == 200) {
                self.sign_in(journal).await;
                let session = self.session().await?;
                journal.begin(session["session_id"].as_str()?);
                return Some(session);
            }
            sleep(Duration::from_millis(500)).await;
        }
        journal.fail("no session could begin");
        None
    }

    /// Signs the user in.
    pub(super) async fn sign_in(&self, journal: &mut Journal) {
        let form = self.by(self.connections).post(self.url("/login")).form(&[("user", &self.name)]);
        match form.timeout(TEST_TIMEOUT).send().await {
            Ok(answer) if answer.status() == 303 => {}
            Ok(answer) => journal.fail(&format!("sign-in: {}", answer.status())),
            Err(error) => journal.fail(&format!("sign-in: {error:?}")),
        }
    }

    /// The answer of `/session` on a new connection; none without a session. A pod may ask to wait.
    pub(super) async fn session(&self) -> Option<Value> {
        let until = Instant::now() + TEST_TIMEOUT;
        loop {
            let answer = self.get_anew("/session").timeout(TEST_TIMEOUT).send().await;
            match answer.map(|answer| (answer.status().as_u16(), answer)) {
                Ok((200, answer)) => return answer.json().await.ok(),
                Ok((401, _)) => return None,
                other => assert!(Instant::now() < until, "{}: /session: {other:?}", self.name),
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    const fn by(&self, connections: Connections) -> &reqwest::Client {
        match connections {
            Connections::KeptAlive => &self.kept,
            Connections::OneEach => &self.fresh,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }
}

/// The fields that browsers send for navigations, streams and requests of scripts.
fn accept(path: &str) -> &'static str {
    match path {
        "/session" => "application/json",
        "/events" => "text/event-stream",
        _ => "text/html",
    }
}
