//! Twenty users type while pods are replaced. What the database has at the end equals what they have typed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use test_support::{Browser, Postgres, Signal, TEST_TIMEOUT, UserPod, eventually};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::ForcedEnd;
use super::fleet::Fleet;
use crate::{BINARY, QUICK};

const WRITERS: usize = 20;
/// How often pods are replaced where there is only one.
const RESTARTS: usize = 3;

/// A user who types, and saves as the page does: one request at a time, always the newest text, again until it is saved.
struct Writer {
    client: Client,
    host: String,
    name: String,
    typed: String,
    version: Option<String>,
    /// The texts that were sent and not answered.
    sent: Vec<String>,
    saves: Arc<AtomicUsize>,
}

impl Writer {
    fn new(host: &str, number: usize, saves: Arc<AtomicUsize>) -> Self {
        // Every other user opens a connection for each request, and meets other pods.
        let kept = if number.is_multiple_of(2) { 1 } else { 0 };
        let client = Client::builder().cookie_store(true).redirect(Policy::none()).pool_max_idle_per_host(kept);
        let name = format!("writer-{number}");
        let client = client.timeout(TEST_TIMEOUT).build().unwrap();
        Self { client, host: host.to_owned(), name, typed: String::new(), version: None, sent: Vec::new(), saves }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// Types a word after the other, and saves in between, until told to stop; then until the last text is saved. Returns what was
    /// typed.
    async fn run(mut self, stop: CancellationToken) -> (String, String) {
        let mut word = 0;
        while !stop.is_cancelled() {
            self.typed += &format!("word{word} ");
            word += 1;
            self.attempt().await;
            sleep(Duration::from_millis(fastrand::u64(30..120))).await;
        }
        let deadline = Instant::now() + TEST_TIMEOUT;
        while !self.attempt().await {
            assert!(Instant::now() < deadline, "{}: the last text is not saved", self.name);
            sleep(Duration::from_millis(100)).await;
        }
        (self.name, self.typed)
    }

    /// Tries once to save. Returns whether the server has the text.
    async fn attempt(&mut self) -> bool {
        let Some(version) = self.version.clone() else {
            self.load().await;
            return false;
        };
        let text = self.typed.clone();
        self.sent.push(text.clone());
        let save = json!({ "user": self.name, "text": text, "version": version });
        let Ok(answer) = self.client.put(self.url("/notes")).json(&save).send().await else { return false };
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        match (status, body["version"].as_str()) {
            (StatusCode::OK, Some(version)) => {
                self.version = Some(version.to_owned());
                self.sent.clear();
                self.saves.fetch_add(1, Ordering::Relaxed);
                true
            }
            (StatusCode::CONFLICT, Some(_)) => {
                self.take(&body);
                false
            }
            (StatusCode::UNAUTHORIZED | StatusCode::CONFLICT, _) => {
                self.version = None;
                false
            }
            (StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY, _) => false,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    /// Loads the stored text, after signing in where the session has ended.
    async fn load(&mut self) {
        let Ok(answer) = self.client.get(self.url("/notes")).header("accept", "application/json").send().await else {
            return;
        };
        if answer.status() == StatusCode::OK
            && let Ok(stored) = answer.json::<Value>().await
            && stored["user"] == self.name.as_str()
        {
            return self.take(&stored);
        }
        let page = self.client.get(self.url("/")).header("accept", "text/html").send().await;
        if page.is_ok_and(|page| page.status() == StatusCode::OK) {
            let _ = self.client.post(self.url("/login")).form(&[("user", &self.name)]).send().await;
        }
    }

    /// The stored text is one that this user has sent.
    fn take(&mut self, stored: &Value) {
        let text = stored["text"].as_str().unwrap();
        let own = text.is_empty() && self.version.is_none() || self.typed.starts_with(text);
        assert!(own, "{}: {text:?} is stored, {:?} was typed", self.name, self.typed);
        self.version = stored["version"].as_str().map(str::to_owned);
    }
}

/// Starts the writers and waits until each has saved.
async fn start(host: &str, stop: &CancellationToken) -> (JoinSet<(String, String)>, Arc<AtomicUsize>) {
    let (mut writers, saves) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for number in 0..WRITERS {
        writers.spawn(Writer::new(host, number, Arc::clone(&saves)).run(stop.clone()));
    }
    saved_more(&saves, 2 * WRITERS).await;
    (writers, saves)
}

/// Waits for this many further saves.
async fn saved_more(saves: &AtomicUsize, more: usize) {
    let before = saves.load(Ordering::Relaxed);
    eventually("more saves", || async { (saves.load(Ordering::Relaxed) >= before + more).then_some(()) }).await;
}

/// Compares what was typed with what a new pod reads.
async fn compare(pod: &UserPod, mut writers: JoinSet<(String, String)>) {
    while let Some(written) = writers.join_next().await {
        let (name, typed) = written.unwrap();
        assert_eq!(stored(pod, &name).await, typed, "{name}");
    }
}

async fn stored(pod: &UserPod, name: &str) -> String {
    let person = pod.person().visit().await;
    assert_eq!(person.login(name).await.status(), 303);
    let stored: Value = person.get("/notes").await.json().await.unwrap();
    stored["text"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_users_who_type_through_a_rolling_restart_on_postgres_lose_nothing() {
    let server = Postgres::start().await;
    let url = server.url();
    let mut fleet = Fleet::start_with(ForcedEnd::Release, &[("DATABASE_URL", &url), ("DRAIN_TIMEOUT", "4s")]).await;
    let browser = Browser::open().await;
    browser.go(&fleet.haproxy.url("/")).await;
    browser.write("#name", "reader").await;
    browser.click("#name-form button").await;
    browser.reads("#user", "reader").await;
    browser.reads("#connection", "Live").await;
    let stop = CancellationToken::new();
    let (writers, saves) = start(&fleet.haproxy.address, &stop).await;
    let mut typed = String::new();
    let done = CancellationToken::new();
    let typing = async {
        let mut word = 0;
        while !done.is_cancelled() {
            let next = format!("word{word} ");
            browser.write("#notes", &next).await;
            typed += &next;
            word += 1;
        }
    };
    let restart = async {
        fleet.restart_all().await;
        saved_more(&saves, 2 * WRITERS).await;
        done.cancel();
    };
    tokio::join!(typing, restart);
    browser.reads("#saved", "Saved at").await;
    assert_eq!(browser.value("#notes").await, typed);
    stop.cancel();
    let pod = UserPod::start(BINARY, "observer", &[&QUICK[..], &[("DATABASE_URL", url.as_str())]].concat()).await;
    compare(&pod, writers).await;
    assert_eq!(stored(&pod, "reader").await, typed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_users_who_type_through_restarts_of_one_pod_on_sqlite_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("notes.db").display());
    let options = [("DATABASE_URL", url.as_str()), ("DRAIN_TIMEOUT", "2s"), ("PROPAGATION_WAIT", "500ms")];
    let start_at = async |address: &str| {
        UserPod::start(BINARY, "user-1", &[&QUICK[..], &options, &[("HTTP_ADDR", address)]].concat()).await
    };
    let mut pod = start_at("127.0.0.1:0").await;
    let address = pod.http.clone();
    let stop = CancellationToken::new();
    let (writers, saves) = start(&address, &stop).await;
    for restart in 0..RESTARTS {
        // The last one is killed.
        pod.signal(if restart + 1 < RESTARTS { Signal::SIGTERM } else { Signal::SIGKILL });
        pod.wait().await;
        pod = start_at(&address).await;
        saved_more(&saves, 2 * WRITERS).await;
    }
    stop.cancel();
    compare(&pod, writers).await;
}
