//! Sessions in front of an app: which requests start one, and what the app's answers do with it.

use std::sync::Arc;

use reqwest::Response;
use serde_json::Value;
use test_support::{Person, RawApp, UserPod, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{answer, in_front_of, in_front_of_url, metric};

pub(super) async fn navigate(person: &Person, path: &str) -> Response {
    person.request(path).header("accept", "text/html").send().await.unwrap()
}

pub(super) async fn session(person: &Person) -> Option<Value> {
    let answer = person.get("/_lastcall/session").await;
    if answer.status() == 200 { answer.json().await.ok() } else { None }
}

pub(super) fn sets_cookie(answer: &Response) -> bool {
    answer.headers().get_all("set-cookie").iter().any(|value| value.to_str().unwrap().starts_with("lastcall_session="))
}

async fn site(options: &[(&str, &str)]) -> (RawApp, UserPod) {
    let app = RawApp::start(|request, _| match request.split(' ').nth(1).unwrap_or_default() {
        "/name" => answer("Lastcall-User: Zo%C3%AB\r\nCache-Control: max-age=60\r\n", "named"),
        "/nobody" => answer("Lastcall-User:\r\n", ""),
        "/invalid" => answer("Lastcall-User: a\r\nLastcall-User: b\r\n", ""),
        "/out" => answer("Lastcall-Logout: 1\r\nLastcall-User: eve\r\n", ""),
        _ => answer("Set-Cookie: session=of-the-app\r\n", ""),
    })
    .await;
    let pod = in_front_of(&app, options).await;
    (app, pod)
}

#[tokio::test]
async fn only_a_page_in_a_tab_starts_a_session_and_the_app_sees_no_cookie_of_ours() {
    let (app, pod) = site(&[]).await;
    let person = pod.person();
    for (method, fields) in [
        ("GET", &[][..]),
        ("GET", &[("accept", "*/*")][..]),
        ("POST", &[("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]),
        ("GET", &[("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]),
        ("POST", &[("origin", "http://elsewhere"), ("sec-fetch-site", "cross-site")]),
    ] {
        let request = if method == "GET" { person.request("/") } else { person.post("/") };
        let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answered = request.send().await.unwrap();
        assert_eq!((answered.status().as_u16(), sets_cookie(&answered)), (200, false), "{method} {fields:?}");
        assert!(!app.last().contains("lastcall-session"), "{method} {fields:?}");
    }
    let page = navigate(&person, "/").await;
    assert!(sets_cookie(&page));
    assert_eq!(page.headers()["cache-control"], "no-store");
    let id = session(&person).await.unwrap()["session_id"].as_str().unwrap().to_owned();
    assert_eq!(person.status("/").await, 200);
    let got = app.last();
    assert!(got.contains(&format!("\r\nlastcall-session: {id}\r\nlastcall-user: anonymous\r\n")), "{got}");
    assert!(got.contains("\r\ncookie: session=of-the-app\r\n"), "{got}");
}

#[tokio::test]
async fn the_app_names_the_user_and_signs_the_user_out() {
    let (app, pod) = site(&[]).await;
    let person = pod.person();
    navigate(&person, "/").await;
    let named = person.get("/name").await;
    assert!(sets_cookie(&named));
    assert_eq!(named.headers()["cache-control"], "no-store");
    assert!(!named.headers().contains_key("lastcall-user"));
    assert_eq!(session(&person).await.unwrap()["user"], "Zoë");
    assert!(!sets_cookie(&person.get("/name").await), "the same name changes nothing");
    assert!(app.last().contains("\r\nlastcall-user: Zo%C3%AB\r\n"));
    assert!(!sets_cookie(&person.get("/invalid").await));
    assert_eq!(session(&person).await.unwrap()["user"], "Zoë");
    assert!(sets_cookie(&person.get("/nobody").await));
    assert_eq!(session(&person).await.unwrap()["user"], "anonymous");
    let out = person.get("/out").await;
    assert!(sets_cookie(&out) && !out.headers().contains_key("lastcall-logout"));
    assert!(session(&person).await.is_none());
}

#[tokio::test]
async fn requests_with_the_cookie_of_another_time_reach_the_app_without_a_session() {
    let (app, pod) = site(&[]).await;
    let person = pod.person();
    let page = navigate(&person, "/").await;
    let mut cookies = page.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let cookie = cookies.find(|value| value.starts_with("lastcall_session=")).unwrap();
    let late = pod.person().with_cookie(cookie.split(';').next().unwrap());
    person.get("/name").await;
    for late in [navigate(&late, "/late").await, late.post("/late").send().await.unwrap()] {
        assert_eq!((late.status().as_u16(), sets_cookie(&late)), (200, false));
        assert!(!app.last().contains("lastcall-session") && !app.last().contains("lastcall_session"), "{}", app.last());
    }
    person.get("/out").await;
    assert_eq!(late.post("/ended").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn logging_out_names_the_logout_of_the_app_to_the_page() {
    let (_app, pod) = site(&[("LOGOUT_REDIRECT", "/accounts/logout/")]).await;
    let person = pod.person();
    navigate(&person, "/").await;
    let answered = person.post("/_lastcall/logout").send().await.unwrap();
    assert_eq!(answered.headers()["lastcall-logout-redirect"], "/accounts/logout/");
}

/// An app whose `/slow` names the user only once it is told to.
async fn slow_app(answers: Arc<Notify>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let mut head = vec![0; 8 * 1024];
                let count = stream.read(&mut head).await.unwrap_or(0);
                let name = match String::from_utf8_lossy(&head[..count]).split(' ').nth(1) {
                    Some("/slow") => {
                        answers.notified().await;
                        "Lastcall-User: outdated\r\n"
                    }
                    Some("/name") => "Lastcall-User: ada\r\n",
                    _ => "",
                };
                let answer = format!("HTTP/1.1 200 OK\r\n{name}Content-Length: 0\r\nConnection: close\r\n\r\n");
                // The probes of the proxy do not wait for it.
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn an_answer_to_a_request_from_before_the_last_naming_names_nobody() {
    let answers = Arc::new(Notify::new());
    let url = slow_app(Arc::clone(&answers)).await;
    let pod = in_front_of_url(&url, &[]).await;
    let person = pod.person();
    navigate(&person, "/").await;
    let slow = tokio::spawn({
        let person = person.clone();
        async move { person.get("/slow").await }
    });
    eventually("the slow request", || async {
        (metric(&pod, "lastcall_sessions_present").await == 1.0 && !slow.is_finished()).then_some(())
    })
    .await;
    assert!(sets_cookie(&person.get("/name").await));
    // Kept for a request that has not come to the app yet.
    answers.notify_one();
    let slow = slow.await.unwrap();
    assert!(!sets_cookie(&slow) && !slow.headers().contains_key("lastcall-user"));
    assert_eq!(session(&person).await.unwrap()["user"], "ada");
}
