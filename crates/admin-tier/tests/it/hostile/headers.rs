//! What stands around every answer, whatever it answers.

use reqwest::Response;

use crate::Admin;

fn is_guarded(answer: &Response, what: &str) {
    let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
    let policy = header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.contains(part), "{what}: {part} in {policy:?}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{what}: {policy:?}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let open = Admin::start(&["127.0.0.1:1"]).await;
    let locked = Admin::with(&["127.0.0.1:1"], &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener")]).await;
    for (admin, path, status) in [
        (&open, "/", 303),
        (&open, "/admin", 200),
        (&open, "/admin/users", 200),
        (&open, "/admin/users?sort=nothing", 400),
        (&open, "/admin/history", 200),
        (&open, "/admin/history/drain?pod=a&started=1", 404),
        (&open, "/admin/events", 200),
        (&open, "/admin/users/events", 200),
        (&open, "/admin/history/events", 200),
        (&open, "/admin/users.csv", 200),
        (&open, "/admin/users.json", 200),
        (&open, "/admin/api/v1/drains", 200),
        (&open, "/admin/api/v1/pods", 200),
        (&open, "/admin/api/v1/sessions?limit=x", 400),
        (&open, "/openapi.json", 200),
        (&open, "/metrics", 200),
        (&open, "/health", 200),
        (&open, "/favicon.ico", 200),
        (&open, "/assets/x/nothing.js", 404),
        (&open, "/nowhere", 404),
        (&open, "/admin/maintenance", 405),
        (&locked, "/admin", 303),
        (&locked, "/admin/sign-in", 200),
        (&locked, "/admin/api/v1/pods", 401),
    ] {
        let answer = admin.person().get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        is_guarded(&answer, path);
    }
    let rebound = open.person().request("/admin").header("host", "evil.test").send().await.unwrap();
    assert_eq!(rebound.status(), 421);
    is_guarded(&rebound, "another host's name");
    for (field, value, status) in [("token", "wrong", 401), ("token", "opener", 303)] {
        let answer = locked.person().post("/admin/sign-in").form(&[(field, value)]).send().await.unwrap();
        assert_eq!(answer.status(), status);
        is_guarded(&answer, "signing in");
    }
    let large = locked.person().post("/admin/sign-in").form(&[("token", "x".repeat(20_000))]).send().await.unwrap();
    assert!(large.status().is_client_error(), "{}", large.status());
    is_guarded(&large, "a large form");
}
