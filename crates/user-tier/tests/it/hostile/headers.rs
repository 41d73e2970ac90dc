//! The security headers of every answer.

use reqwest::Response;
use test_support::{Person, Signal, UserPod};

use crate::{BINARY, QUICK, pod};

/// The fields of a browser's navigation.
const NAVIGATING: (&str, &str) = ("accept", "text/html");

fn is_guarded(answer: &Response, what: &str) {
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src '") && policy.contains("frame-ancestors 'none'"), "{what}: {policy:?}");
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{what}: {policy:?}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
}

/// Sends `GET` as a program and as a browser, and checks the status and the headers of the answer.
async fn get(person: &Person, path: &str, status: u16) {
    for (name, value) in [NAVIGATING, ("accept", "*/*")] {
        let answer = person.request(path).header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        is_guarded(&answer, path);
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let pod = pod(&[("DRAIN_TIMEOUT", "1h")]).await;
    let stranger = Person::new(&pod.http);
    get(&stranger, "/session", 401).await;
    get(&stranger, "/events", 401).await;
    let person = pod.person().visit().await;
    let page = person.text("/").await;
    let files: Vec<_> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(files.len() >= 2, "{page}");
    for path in ["/", "/session", "/events", "/health", "/ready", "/metrics", "/favicon.ico"].iter().chain(&files) {
        get(&person, path, 200).await;
    }
    for path in ["/nowhere", "/assets/x/nothing.js"] {
        get(&person, path, 404).await;
    }
    for (path, header, status) in [
        ("/login", NAVIGATING, 303),
        ("/session", NAVIGATING, 405),
        ("/", NAVIGATING, 405),
        ("/login", ("origin", "https://evil.test"), 403),
        ("/logout", ("sec-fetch-site", "same-site"), 403),
        ("/logout", NAVIGATING, 200),
    ] {
        let post = person.post(path).header(header.0, header.1).form(&[("user", "ada")]);
        let answer = post.send().await.unwrap();
        assert_eq!(answer.status(), status, "POST {path}");
        is_guarded(&answer, path);
    }
    let large = person.post("/login").form(&[("user", "x".repeat(70_000))]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    is_guarded(&large, "413");

    let stays = pod.person().visit().await;
    let _stream = stays.events().await;
    pod.signal(Signal::SIGTERM);
    pod.line("Sending drain notification").await;
    get(&stranger, "/", 503).await;
    get(&stranger, "/ready", 503).await;
    let untracked = stranger.request("/").header("accept", "application/json").send().await.unwrap();
    assert_eq!(untracked.status(), 401);
    is_guarded(&untracked, "untracked");
}

#[tokio::test]
async fn answers_in_other_modes_have_the_security_headers_too() {
    let tabs = pod(&[("SESSION_SCOPE", "tab")]).await;
    get(&tabs.person(), "/", 303).await;
    let closed = pod(&[("MAINTENANCE_MODE", "true")]).await;
    get(&closed.person(), "/", 503).await;
    let full = pod(&[("MAX_SESSIONS", "1")]).await;
    full.person().visit().await.session().await;
    get(&full.person(), "/", 503).await;
    let apart = UserPod::start(BINARY, "user-1", &[&QUICK[..], &[("METRICS_ADDR", "127.0.0.1:0")]].concat()).await;
    get(&apart.person(), "/metrics", 404).await;
}
