//! `PROBE_ADDR`: the probes on a listener of their own, the wait for a drain, and what the processes of the pod ask for.

mod command;
mod pod_end;
mod requests;
mod waiting;

use std::sync::LazyLock;

use reqwest::{Client, Method, Response};
use serde_json::Value;
use test_support::{Process, TEST_TIMEOUT, UserPod, free_port};

use crate::{BINARY, QUICK};

/// Making one takes a while.
static CLIENT: LazyLock<Client> = LazyLock::new(Client::new);

/// A pod with a listener for probes, and the address of that.
async fn pod(options: &[(&str, &str)]) -> (UserPod, String) {
    let pod = crate::pod(&[&[("PROBE_ADDR", "127.0.0.1:0")], options].concat()).await;
    let line = pod.line("probe.address=").await;
    let address = line.split("probe.address=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    (pod, address)
}

/// Sends JSON to the listener for probes, as a process of the pod does.
async fn ask(method: Method, url: String, body: &str) -> Response {
    let request = CLIENT.request(method, url).header("content-type", "application/json");
    request.body(body.to_owned()).timeout(TEST_TIMEOUT).send().await.unwrap()
}

async fn drain(probes: &str) -> Response {
    ask(Method::POST, format!("http://{probes}/drain"), "{}").await
}

async fn status(address: &str, path: &str) -> u16 {
    CLIENT.get(format!("http://{address}{path}")).send().await.unwrap().status().as_u16()
}

/// `GET /wait-for-drain`: the status of the answer, and what it says.
async fn wait_for_drain(probes: &str) -> (u16, Value) {
    let answer = CLIENT.get(format!("http://{probes}/wait-for-drain")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// `user-tier drain`.
fn drain_command(probes: &str) -> Process {
    Process::start(BINARY, &["drain"], &[("PROBE_ADDR", probes)])
}

#[tokio::test]
async fn probes_have_a_listener_of_their_own_and_equal_addresses_are_one() {
    let (pod, probes) = pod(&[]).await;
    for path in ["/health", "/healthz", "/ready", "/readyz"] {
        assert_eq!((status(&probes, path).await, status(&pod.http, path).await), (200, 404), "{path}");
    }
    assert_eq!((status(&probes, "/metrics").await, status(&pod.http, "/metrics").await), (404, 200));
    assert_eq!((status(&pod.http, "/wait-for-drain").await, status(&probes, "/").await), (404, 404));

    let shared = format!("127.0.0.1:{}", free_port());
    let both = [("PROBE_ADDR", shared.as_str()), ("METRICS_ADDR", &shared)];
    let apart = UserPod::start(BINARY, "user-1", &[&QUICK, &both[..]].concat()).await;
    assert_eq!((status(&shared, "/metrics").await, status(&shared, "/ready").await), (200, 200));
    assert_eq!((status(&apart.http, "/metrics").await, status(&apart.http, "/ready").await), (404, 404));

    let one = format!("127.0.0.1:{}", free_port());
    let all = [("HTTP_ADDR", one.as_str()), ("METRICS_ADDR", &one), ("PROBE_ADDR", &one)];
    let mut single = UserPod::start(BINARY, "user-1", &[&QUICK, &all[..]].concat()).await;
    for path in ["/assets/lastcall.js", "/health", "/ready", "/metrics"] {
        assert_eq!(status(&one, path).await, 200, "{path}");
    }
    assert_eq!(drain(&one).await.status(), 202);
    assert_eq!(wait_for_drain(&one).await.0, 200);
    single.signal(test_support::Signal::SIGTERM);
    assert_eq!(single.wait().await.code(), Some(0));
}
