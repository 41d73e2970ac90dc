//! The admin tier as a process, with real pods and with pods that report false data, hang or disappear.

#![allow(clippy::unwrap_used, reason = "a test panics where something is missing")]

mod access;
mod accessible;
mod api;
mod bounds;
mod browser;
mod configuration;
mod connections;
mod counts;
mod dns;
mod export;
mod fake_pod;
mod forget;
mod handoff;
mod history;
mod hostile;
mod inconsistencies;
mod kubernetes;
mod live;
mod lost;
mod maintenance;
mod orphan_scans;
mod pages;
mod pictures;
mod presence;
mod rainbow;
mod real_pods;
mod sharing;
mod sign_in;
mod work;

use std::ops::Deref;

use serde_json::Value;
use test_support::{Person, Process, eventually};

/// The built binary.
const BINARY: &str = env!("CARGO_BIN_EXE_admin-tier");

/// A running admin tier on a port of its own.
struct Admin {
    process: Process,
    http: String,
}

impl Admin {
    /// Watches the pods at these addresses.
    async fn start(pods: &[&str]) -> Self {
        Self::with(pods, &[]).await
    }

    /// The same, with these options. Without sign-in, unless the options set one.
    async fn with(pods: &[&str], options: &[(&str, &str)]) -> Self {
        let pods = pods.join(",");
        let fixed = [("HTTP_ADDR", "127.0.0.1:0"), ("USER_PODS", pods.as_str()), ("ADMIN_AUTH", "off")];
        let process = Process::start(BINARY, &[], &[&fixed, options].concat());
        let line = process.line("http.address=").await;
        let http = line.split("http.address=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { process, http }
    }

    /// An operator with a browser.
    fn person(&self) -> Person {
        Person::new(&self.http)
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.person().get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// The pod at an address, as soon as it is as it should be.
    async fn pod(&self, address: &str, what: &str, is_right: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || async {
            let pods = self.json("/admin/api/v1/pods").await;
            let all = pods["pods"].as_array().unwrap();
            all.iter().find(|pod| pod["address"] == address).filter(|pod| is_right(pod)).cloned()
        })
        .await
    }

    /// Waits until a pod is in sight and heard at an address.
    async fn pod_as_soon_as_named(&self, address: &str) {
        eventually("the pod", async || {
            let pods = self.json("/admin/api/v1/pods").await;
            let heard = |pod: &Value| pod["address"] == address && pod["reachable"] == true;
            pods["pods"].as_array().unwrap().iter().any(heard).then_some(())
        })
        .await;
    }

    /// The list of sessions, as soon as there are so many.
    async fn sessions(&self, total: u64) -> Value {
        eventually(&format!("{total} sessions"), || async {
            let sessions = self.json("/admin/api/v1/sessions").await;
            (sessions["total"] == total).then_some(sessions)
        })
        .await
    }
}

impl Deref for Admin {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}
