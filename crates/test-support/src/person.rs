//! Somebody in front of a browser, as far as HTTP is concerned: a cookie jar and event streams.

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use crate::{Events, PATIENCE};

/// Somebody with a cookie jar. Follows no redirects, so that a test sees them.
#[derive(Clone, Debug)]
pub struct Person {
    client: Client,
    host: String,
}

impl Person {
    /// Somebody new, at the pod that listens on `host`.
    pub fn new(host: &str) -> Self {
        let client = Client::builder().cookie_store(true).redirect(Policy::none()).connect_timeout(PATIENCE).build();
        Self { client: client.unwrap(), host: host.to_owned() }
    }

    /// The same person at another pod, with the same cookies: routed elsewhere. Cookies know no ports.
    #[must_use]
    pub fn at(&self, host: &str) -> Self {
        Self { client: self.client.clone(), host: host.to_owned() }
    }

    /// A `GET` that is still to be sent.
    pub fn request(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.host))
    }

    /// A `POST` that is still to be sent.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.host))
    }

    /// Sends `GET` and gives the answer.
    pub async fn get(&self, path: &str) -> Response {
        self.request(path).timeout(PATIENCE).send().await.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Sends `GET` and gives the status.
    pub async fn status(&self, path: &str) -> u16 {
        self.get(path).await.status().as_u16()
    }

    /// Sends `GET` and gives the body.
    pub async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    /// Opens the page: a session starts.
    pub async fn visit(self) -> Self {
        assert_eq!(self.status("/").await, 200);
        self
    }

    /// Sends the login form and gives the answer.
    pub async fn login(&self, user: &str) -> Response {
        self.post("/login").form(&[("user", user)]).timeout(PATIENCE).send().await.unwrap()
    }

    /// What `/session` says; panics where there is none.
    pub async fn session(&self) -> Value {
        let answer = self.get("/session").await;
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// Opens an event stream and reads its greeting.
    pub async fn events(&self) -> Events {
        let mut events = self.raw_events().await;
        let greeting = events.next().await;
        assert_eq!(greeting.name, "connected", "{greeting:?}");
        events
    }

    /// Opens an event stream where the person still has a session.
    pub async fn try_events(&self) -> Option<Events> {
        let answer = self.request("/events").send().await.ok()?;
        (answer.status() == 200).then(|| Events::new(answer))
    }

    /// Opens an event stream.
    pub async fn raw_events(&self) -> Events {
        let answer = self.request("/events").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Events::new(answer)
    }
}
