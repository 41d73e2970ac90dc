//! `TRUSTED_USER_HEADER`: a proxy in front names the users, and is trusted by its address.

mod sharing;

use http::header::COOKIE;
use reqwest::{Client, Response};
use test_support::UserPod;

use crate::pod;

/// Behind a proxy on this machine.
const PROXIED: [(&str, &str); 2] =
    [("TRUSTED_USER_HEADER", "X-Forwarded-User"), ("TRUSTED_PROXIES", "10.0.0.0/8,127.0.0.1/32")];

/// A request that the proxy passes on with this `user`.
async fn visit(pod: &UserPod, user: &str, path: &str, cookie: &str) -> Response {
    let request = Client::new().get(pod.url(path)).header("x-forwarded-user", user).header(COOKIE, cookie);
    request.send().await.unwrap()
}

fn cookie(answer: &Response) -> String {
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn user(pod: &UserPod, name: &str, cookie: &str) -> String {
    let session: serde_json::Value = visit(pod, name, "/session", cookie).await.json().await.unwrap();
    session["user"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_proxys_user_names_the_session_and_another_user_ends_it() {
    let pod = pod(&PROXIED).await;
    let ada = visit(&pod, "ada", "/", "").await;
    let adas = cookie(&ada);
    let page = ada.text().await.unwrap();
    assert!(page.contains("ada") && !page.contains("name-form"), "{page}");
    assert_eq!(user(&pod, "ada", &adas).await, "ada");
    assert_eq!(user(&pod, " ada ", &adas).await, "ada", "the same user, written otherwise");
    assert!(visit(&pod, "ada", "/", &adas).await.headers().get("set-cookie").is_none());

    let stream = pod.person().request("/events").header("x-forwarded-user", "ada").header(COOKIE, &adas);
    let mut stream = test_support::Events::new(stream.send().await.unwrap());
    stream.next_named("connected").await;
    let bob = visit(&pod, "bob", "/", &adas).await;
    assert_eq!(bob.status(), 200);
    assert_eq!(user(&pod, "bob", &cookie(&bob)).await, "bob");
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "logout");
    assert_eq!(visit(&pod, "ada", "/session", &adas).await.status(), 401, "the old session is over");
    assert_eq!(pod.metric("total_logins").await, 2.0);
    assert_eq!(pod.metric("active_sessions_total").await, 1.0);
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"logout\"}").await, 1.0);
}

#[tokio::test]
async fn a_change_that_another_user_requested_is_not_made() {
    let pod = pod(&PROXIED).await;
    let adas = cookie(&visit(&pod, "ada", "/", "").await);
    let post = Client::new().post(pod.url("/notes")).header("x-forwarded-user", "bob").header(COOKIE, &adas);
    assert_eq!(post.send().await.unwrap().status(), 409);
}

#[tokio::test]
async fn with_a_trusted_header_users_cannot_name_themselves_and_two_names_are_refused() {
    let pod = pod(&PROXIED).await;
    let person = pod.person().visit().await;
    assert_eq!(person.session().await["user"], "anonymous", "the proxy named no user");
    let login = person.login("eve").await;
    assert_eq!(login.status(), 403);
    assert!(login.text().await.unwrap().contains("x-forwarded-user"));
    assert_eq!(person.session().await["user"], "anonymous");
    for path in ["/", "/session", "/events"] {
        let twice = person.request(path).header("x-forwarded-user", "ada").header("x-forwarded-user", "eve");
        assert_eq!(twice.send().await.unwrap().status(), 400, "{path}");
    }
    assert_eq!(person.session().await["user"], "anonymous", "the session goes on");
}

#[tokio::test]
async fn the_user_header_of_untrusted_peers_is_ignored() {
    let pod = pod(&[PROXIED[0], ("TRUSTED_PROXIES", "10.0.0.0/8,::1")]).await;
    let stranger = visit(&pod, "ada", "/", "").await;
    let cookie = cookie(&stranger);
    assert_eq!(user(&pod, "ada", &cookie).await, "anonymous");
    assert_eq!(user(&pod, "bob", &cookie).await, "anonymous", "and their session goes on");
    assert_eq!(pod.person().login("ada").await.status(), 403);
}
