//! A handoff as users see it: nothing. Three pods on one Redis behind HAProxy, and pages in Chromium.

mod invisible;
mod recorder;
mod staying;
mod tabs;

use std::collections::BTreeMap;

use tempfile::TempDir;
use test_support::{Browser, Haproxy, Redis, Signal, UserPod, eventually};

use crate::BINARY;

/// The number of pods, and one slot more for a pod that takes over.
const PODS: usize = 3;
const SLOTS: usize = PODS + 1;

/// Pods with a handoff behind one proxy.
struct Pods {
    haproxy: Haproxy,
    redis: Redis,
    /// Where the notes are.
    folder: TempDir,
    options: Vec<(&'static str, &'static str)>,
    /// By name, each with its slot in the proxy.
    running: BTreeMap<String, (UserPod, usize)>,
    started: usize,
}

/// Routes new connections to the first pod that is ready and not stopped, so that a session stays where its stream is. Open
/// connections stay, and so do those that the browser keeps.
async fn following_readiness() -> Haproxy {
    let servers: String =
        (0..SLOTS).map(|slot| format!("    server s{slot} 127.0.0.1:1 check inter 200ms disabled\n")).collect();
    Haproxy::with(|address| {
        format!(
            "defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend service
    bind {address}
    default_backend pods
backend pods
    balance first
    option httpchk GET /ready
{servers}"
        )
    })
    .await
}

impl Pods {
    /// Starts three behind a proxy that has a slot more, with `options` on top.
    async fn start(haproxy: Haproxy, options: &[(&'static str, &'static str)]) -> Self {
        let mut pods = Self {
            haproxy,
            redis: Redis::start().await,
            folder: tempfile::tempdir().unwrap(),
            options: options.to_vec(),
            running: BTreeMap::new(),
            started: 0,
        };
        for slot in 0..PODS {
            pods.add(slot).await;
        }
        pods
    }

    async fn add(&mut self, slot: usize) {
        self.started += 1;
        let (name, url) = (format!("user-{}", self.started), self.redis.url());
        let notes = format!("sqlite:{}", self.folder.path().join("notes.db").display());
        let handoff = [
            ("REDIS_URL", url.as_str()),
            ("DATABASE_URL", notes.as_str()),
            ("SESSION_KEY", "0123456789abcdef0123456789abcdef"),
            ("HANDOFF", "on"),
            ("HANDOFF_DELAY", "0s"),
            ("HANDOFF_QUIET", "5s"),
            ("DRAIN_TIMEOUT", "30s"),
            ("PROPAGATION_WAIT", "300ms"),
        ];
        let pod = UserPod::start(BINARY, &name, &[&handoff, &self.options[..]].concat()).await;
        eventually("a pod that is ready", || async { (pod.person().status("/ready").await == 200).then_some(()) })
            .await;
        self.haproxy.serve(slot, &pod.http).await;
        self.running.insert(name, (pod, slot));
    }

    /// Starts another pod, and stops this one as Kubernetes does. Returns the stopped one, and its slot.
    async fn replace(&mut self, name: &str) -> (UserPod, usize) {
        let taken: Vec<_> = self.running.values().map(|(_, slot)| *slot).collect();
        self.add((0..SLOTS).find(|slot| !taken.contains(slot)).unwrap()).await;
        let (pod, slot) = self.running.remove(name).unwrap();
        self.haproxy.drain(slot).await;
        pod.signal(Signal::SIGTERM);
        (pod, slot)
    }

    /// Waits until a stopped pod has exited.
    async fn exited(&self, (mut pod, slot): (UserPod, usize)) -> Vec<String> {
        assert!(pod.wait().await.success());
        self.haproxy.free(slot).await;
        pod.drain_log()
    }

    /// The sum of a series over the running pods.
    async fn sum(&self, series: &str) -> f64 {
        let mut sum = 0.0;
        for (pod, _) in self.running.values() {
            sum += pod.metric(series).await;
        }
        sum
    }
}

/// Opens the page again without its chat: a chat that is closed reopens at another pod, and moves the session, whatever the page says.
async fn reload_without_chat(browser: &Browser) {
    browser.before_each_page("window.WebSocket = class extends EventTarget { close() {} };").await;
    browser.reload().await;
    browser.reads("#connection", "Live").await;
    browser.run("record.forget()").await;
}

/// Opens the page of `ada`, with the recorder, and waits for its stream and its chat.
async fn open_page(browser: &Browser, pods: &Pods) {
    browser.before_each_page(recorder::SCRIPT).await;
    browser.go(&pods.haproxy.url("/")).await;
    browser.reads("#connection", "Live").await;
    browser.write("#name", "ada").await;
    browser.click("#name-form button").await;
    browser.reads("#user", "ada").await;
    browser.reads("#connection", "Live").await;
    browser.reads("#chat [role=status]", "you reach the users of all servers").await;
    browser.console_errors().await;
    browser.run("record.forget()").await;
}
