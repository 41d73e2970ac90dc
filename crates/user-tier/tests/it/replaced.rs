//! Late requests with the cookie from before a login: none of them replaces the new cookie.

use reqwest::{Client, Response, redirect};
use test_support::{Person, UserPod};

use crate::pod;

/// Sends a request with this cookie and no jar.
pub(crate) async fn ask(pod: &UserPod, method: &str, path: &str, accept: &str, cookie: &str) -> Response {
    let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let request = client.request(method.parse().unwrap(), pod.url(path)).header("accept", accept);
    request.header("cookie", cookie).form(&[("user", "eve")]).send().await.unwrap()
}

/// Opens the page and returns the user with the cookie.
pub(crate) async fn visitor(pod: &UserPod) -> (Person, String) {
    let person = pod.person();
    let answer = person.get("/").await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    (person, cookie)
}

/// Checks that the old cookie opens and changes nothing, and that no answer sets another one.
pub(crate) async fn is_replaced(pod: &UserPod, cookie: &str) {
    for (method, path, accept, status) in [
        ("GET", "/", "text/html", 409),
        ("GET", "/nowhere", "text/html", 409),
        ("GET", "/", "*/*", 409),
        ("HEAD", "/", "*/*", 409),
        ("GET", "/session", "*/*", 401),
        ("GET", "/events", "text/event-stream", 401),
        ("POST", "/notes", "application/json", 409),
        ("POST", "/login", "text/html", 409),
        ("POST", "/logout", "*/*", 200),
        ("POST", "/logout", "text/html", 200),
        ("GET", "/logout?reason=drain", "text/html", 200),
    ] {
        let answer = ask(pod, method, path, accept, cookie).await;
        assert_eq!(answer.status(), status, "{method} {path}");
        assert!(!answer.headers().contains_key("set-cookie"), "{method} {path}");
        let navigates = accept == "text/html" && status == 409;
        assert_eq!(answer.text().await.unwrap().contains("reload"), navigates, "{method} {path}");
    }
}

#[tokio::test]
async fn a_late_request_with_the_cookie_from_before_a_login_starts_nothing_and_sets_no_cookie() {
    let pod = pod(&[]).await;
    let (person, old) = visitor(&pod).await;
    let stream = person.events().await;
    assert_eq!(person.login("ada").await.status(), 303);
    is_replaced(&pod, &old).await;
    assert_eq!(person.session().await["user"], "ada", "and the session goes on");
    assert_eq!(pod.metric("total_logins").await, 1.0);
    assert_eq!(pod.metric("active_sessions_total").await, 1.0);
    drop(stream);
    assert_eq!(person.post("/logout").send().await.unwrap().status(), 200);
    is_replaced(&pod, &old).await;
}
