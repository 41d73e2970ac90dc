//! A user as seen over HTTP: a client with a cookie jar and event streams.

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response};
use serde_json::Value;

use crate::{Events, TEST_TIMEOUT};

/// A user with a cookie jar. Does not follow redirects, so that tests see them.
#[derive(Clone, Debug)]
pub struct Person {
    client: Client,
    host: String,
}

fn client() -> ClientBuilder {
    Client::builder().redirect(Policy::none()).connect_timeout(TEST_TIMEOUT)
}

impl Person {
    /// Creates a new user of the pod that listens on `host`.
    pub fn new(host: &str) -> Self {
        Self { client: client().cookie_store(true).build().unwrap(), host: host.to_owned() }
    }

    /// The same user, with the same cookies, at another pod. Cookies do not depend on the port.
    #[must_use]
    pub fn at(&self, host: &str) -> Self {
        Self { client: self.client.clone(), host: host.to_owned() }
    }

    /// A user who brings a cookie along (`name=value`), on connections of its own.
    #[must_use]
    pub fn with_cookie(&self, cookie: &str) -> Self {
        let jar = reqwest::cookie::Jar::default();
        jar.add_cookie_str(cookie, &format!("http://{}/", self.host).parse().unwrap());
        let client = client().cookie_provider(jar.into()).build();
        Self { client: client.unwrap(), host: self.host.clone() }
    }

    /// Builds a `GET` request.
    pub fn request(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.host))
    }

    /// Builds a `POST` request.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.host))
    }

    /// Builds a `PUT` request.
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.client.put(format!("http://{}{path}", self.host))
    }

    /// Builds a `DELETE` request.
    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(format!("http://{}{path}", self.host))
    }

    /// Sends `GET` and returns the response.
    pub async fn get(&self, path: &str) -> Response {
        self.request(path).timeout(TEST_TIMEOUT).send().await.unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// Sends `GET` and returns the status.
    pub async fn status(&self, path: &str) -> u16 {
        self.get(path).await.status().as_u16()
    }

    /// Sends `GET` and returns the body.
    pub async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    /// Opens the page, which starts a session.
    pub async fn visit(self) -> Self {
        assert_eq!(self.status("/").await, 200);
        self
    }

    /// Sends the login form and returns the response.
    pub async fn login(&self, user: &str) -> Response {
        self.post("/login").form(&[("user", user)]).timeout(TEST_TIMEOUT).send().await.unwrap()
    }

    /// The content of `/session`. Panics without a session.
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

    /// Opens an event stream, if the user still has a session.
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
