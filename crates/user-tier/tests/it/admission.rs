//! Requests without a session: which of them start one, and what they get while the pod drains or is in maintenance.

use std::time::Duration;

use reqwest::{Client, Method, Response, redirect};
use test_support::{Person, Process, Signal, UserPod};
use tokio::time::{MissedTickBehavior, interval};

use crate::{BINARY, pod};

type Headers<'a> = &'a [(&'a str, &'a str)];

const HTML: Headers<'_> = &[("accept", "text/html,application/xhtml+xml")];
const ANYTHING: Headers<'_> = &[("accept", "*/*")];
const JSON: Headers<'_> = &[("accept", "application/json")];

async fn send(host: &str, method: &str, path: &str, headers: Headers<'_>) -> Response {
    let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let request = client.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("http://{host}{path}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.form(&[("user", "ada")]).send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn navigations_start_sessions_and_by_default_gets_that_accept_anything_too() {
    for (start, programs) in [("any", true), ("navigation", false)] {
        let pod = pod(&[("SESSION_START", start)]).await;
        for (method, headers, starts) in [
            ("GET", HTML, true),
            ("GET", &[("sec-fetch-mode", "navigate")], true),
            ("GET", ANYTHING, programs),
            ("GET", JSON, false),
            ("GET", &[("accept", "text/html"), ("sec-fetch-mode", "cors")], false),
            ("GET", &[("accept", "text/html"), ("purpose", "prefetch")], false),
            ("HEAD", HTML, false),
            ("POST", JSON, false),
        ] {
            let answer = send(&pod.http, method, "/", headers).await;
            assert_eq!(answer.headers().contains_key("set-cookie"), starts, "{start}: {method} {headers:?}");
        }
        let expected = if programs { 3.0 } else { 2.0 };
        assert_eq!(pod.metric("total_logins").await, expected, "{start}");
        let login = send(&pod.http, "POST", "/login", ANYTHING).await;
        assert!(login.headers().contains_key("set-cookie"), "{start}: a login starts a session");
    }
}

#[tokio::test]
async fn a_drain_refuses_newcomers_in_the_media_type_they_accept_and_serves_untracked_requests_to_its_end() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "1h")]).await;
    let person = pod.person().visit().await;
    let stream = person.events().await;
    pod.signal(Signal::SIGTERM);
    pod.line("Sending drain notification").await;
    for (method, path, headers, kind) in [
        ("GET", "/", HTML, "text/html; charset=utf-8"),
        ("GET", "/", ANYTHING, "text/html; charset=utf-8"),
        ("POST", "/login", JSON, "application/problem+json"),
        ("POST", "/login", &[("sec-fetch-mode", "cors"), ("accept", "text/html")], "application/problem+json"),
    ] {
        let refused = send(&pod.http, method, path, headers).await;
        assert_eq!((refused.status().as_u16(), header(&refused, "content-type")), (503, kind), "{method} {headers:?}");
        let said = ["retry-after", "connection", "cache-control"].map(|name| header(&refused, name));
        assert_eq!(said, ["1", "close", "no-store"], "{method} {headers:?}");
        assert!(!refused.headers().contains_key("set-cookie"));
    }
    let untracked = async |phase: &str| {
        for (method, path, status) in [("POST", "/api/x", 404), ("GET", "/api/x", 404), ("GET", "/", 401)] {
            let answer = send(&pod.http, method, path, JSON).await;
            assert_eq!(answer.status(), status, "{phase}: {method} {path}");
            assert_eq!((header(&answer, "set-cookie"), header(&answer, "connection")), ("", "close"), "{phase}");
        }
    };
    untracked("draining").await;
    drop(stream);
    assert_eq!(person.post("/logout").send().await.unwrap().status(), 200);
    pod.line("endpoint removal to propagate").await;
    assert_eq!(pod.metric("total_logins").await, 1.0);
    pod.signal(Signal::SIGTERM);
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn untracked_requests_are_served_during_the_propagation() {
    let pod = pod(&[("PROPAGATION_WAIT", "1h")]).await;
    pod.signal(Signal::SIGTERM);
    pod.line("endpoint removal to propagate").await;
    assert_eq!(send(&pod.http, "POST", "/api/x", JSON).await.status(), 404);
    assert_eq!(send(&pod.http, "GET", "/", HTML).await.status(), 503);
}

async fn is_in_maintenance(host: &str) {
    for (method, headers, kind) in [
        ("GET", HTML, "text/html; charset=utf-8"),
        ("GET", ANYTHING, "text/html; charset=utf-8"),
        ("GET", JSON, "application/problem+json"),
        ("POST", ANYTHING, "application/problem+json"),
        ("GET", &[("accept", "*/*"), ("sec-fetch-mode", "cors")], "application/problem+json"),
    ] {
        let answer = send(host, method, "/api/x", headers).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (503, kind), "{method} {headers:?}");
        assert_eq!((header(&answer, "retry-after"), header(&answer, "cache-control")), ("90", "no-store"));
        assert!(!answer.headers().contains_key("set-cookie"));
        assert!(answer.text().await.unwrap().contains("We'll be back soon"), "{method} {headers:?}");
    }
}

#[tokio::test]
async fn pods_and_the_maintenance_page_answer_programs_with_a_problem_document() {
    let retry_after = ("MAINTENANCE_RETRY_AFTER", "90s");
    let pod = pod(&[("MAINTENANCE_MODE", "true"), retry_after]).await;
    is_in_maintenance(&pod.http).await;
    let page = Process::start(BINARY, &["maintenance-page"], &[("HTTP_ADDR", "127.0.0.1:0"), retry_after]);
    let line = page.line("http.address=").await;
    is_in_maintenance(line.split("http.address=\"").nth(1).unwrap().split('"').next().unwrap()).await;
}

#[tokio::test]
async fn a_full_pod_serves_requests_that_need_no_session() {
    let pod = pod(&[("MAX_SESSIONS", "1")]).await;
    let person = pod.person().visit().await;
    person.session().await;
    assert_eq!(send(&pod.http, "GET", "/", HTML).await.status(), 503);
    assert_eq!(send(&pod.http, "POST", "/api/x", JSON).await.status(), 404);
}

/// `GET /` with a new connection and no cookie jar, as load balancers and uptime checks send it.
async fn check(pod: &UserPod) {
    assert_eq!(send(&pod.http, "GET", "/", &[]).await.status(), 200);
}

#[tokio::test]
async fn load_balancer_checks_are_neither_waited_for_nor_forced() {
    let options = [("DRAIN_TIMEOUT", "1h"), ("STREAMLESS_LINGER", "400ms"), ("DRAIN_PROGRESS_INTERVAL", "100ms")];
    let mut pod = pod(&options).await;
    let users: [Person; 3] = std::array::from_fn(|_| pod.person());
    let mut streams = Vec::new();
    for user in &users {
        streams.push(user.clone().visit().await.events().await);
    }
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..30 {
        ticks.tick().await;
        check(&pod).await;
    }
    assert_eq!(pod.metric("active_sessions_total").await, 33.0);
    pod.signal(Signal::SIGTERM);
    pod.line("active users detected").await;
    pod.line("[GRACEFUL SHUTDOWN] 3 users remaining").await;
    assert_eq!(pod.metric("lastcall_sessions_present").await, 3.0);
    for user in &users {
        assert_eq!(user.post("/logout").send().await.unwrap().status(), 200);
    }
    assert!(pod.wait().await.success());
    let log = pod.drain_log().join("\n");
    assert!(!log.contains("Force-closing"), "{log}");
}
