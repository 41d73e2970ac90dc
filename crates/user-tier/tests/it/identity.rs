//! The session of a request: sessions start, get a name, and end.

use reqwest::{Client, redirect};

use crate::pod;

#[tokio::test]
async fn a_first_visit_starts_one_session_and_the_next_ones_none() {
    let pod = pod(&[]).await;
    let person = pod.person();
    let first = person.get("/").await;
    let cookie = first.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.starts_with("session=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    assert!(person.get("/").await.headers().get("set-cookie").is_none());
    let session = person.session().await;
    assert_eq!((&session["user"], &session["pod"]), (&"anonymous".into(), &"user-1".into()));
    assert!(session["drain"].is_null());
    let login = session["login_time"].as_str().unwrap();
    assert!(login.ends_with('Z') && login.len() == "2025-11-16T10:30:00.000Z".len(), "{login}");
    assert_eq!(pod.metric("total_logins").await, 1.0);
    assert_eq!(pod.metric("active_sessions_total").await, 1.0);
}

#[tokio::test]
async fn a_login_names_the_user_under_a_new_id_that_everything_follows() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let before = person.session().await;
    let old_cookie = old_cookie(&pod).await;

    let answer = person.login("  ada \u{202e}lovelace ").await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/".parse().unwrap()));
    let after = person.session().await;
    assert_eq!(after["user"], "ada lovelace");
    assert_ne!(before["session_id"], after["session_id"]);
    assert_eq!(before["login_time"], after["login_time"]);
    let greeting = stream.next_named("connected").await;
    assert_eq!(greeting.data["session_id"], after["session_id"]);

    assert_eq!(pod.metric("total_logins").await, 2.0, "this person and the one with the old cookie");
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"logout\"}").await, 0.0);
    assert_eq!(session_status(&pod, &old_cookie).await, 401, "the old cookie is dead at once");
}

/// The cookie from before a login.
async fn old_cookie(pod: &test_support::UserPod) -> String {
    let plain = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let answer = plain.get(pod.url("/")).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(session_status(pod, &cookie).await, 200);
    let login = plain.post(pod.url("/login")).header("cookie", &cookie).form(&[("user", "x")]).send().await.unwrap();
    assert_eq!(login.status(), 303);
    cookie
}

async fn session_status(pod: &test_support::UserPod, cookie: &str) -> u16 {
    Client::new().get(pod.url("/session")).header("cookie", cookie).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn logging_in_as_a_newcomer_is_one_login() {
    let pod = pod(&[]).await;
    let person = pod.person();
    assert_eq!(person.login("ada").await.status(), 303);
    assert_eq!(person.session().await["user"], "ada");
    assert_eq!(pod.metric("total_logins").await, 1.0);
}

#[tokio::test]
async fn a_logout_ends_the_session_clears_the_cookie_and_its_replay_opens_nothing() {
    let pod = pod(&[]).await;
    let plain = Client::new();
    let answer = plain.get(pod.url("/")).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let left = plain.post(pod.url("/logout")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(left.status(), 200);
    assert!(left.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(session_status(&pod, &cookie).await, 401);
    let stale = plain.post(pod.url("/notes")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(stale.status(), 409, "nothing is done for a session that is gone");
    assert!(stale.headers().get("set-cookie").is_none());
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"logout\"}").await, 1.0);
    assert_eq!(pod.metric("graceful_logouts_total").await, 0.0);
}

#[tokio::test]
async fn a_logout_link_on_another_site_asks_first_and_its_posts_are_refused() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-purpose", "prefetch")] {
        let asked = person.request("/logout").header(name, value).send().await.unwrap();
        assert_eq!(asked.status(), 200);
        assert!(asked.text().await.unwrap().contains("<form"));
        assert_eq!(person.status("/session").await, 200, "{name} has ended nothing");
    }
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.test")]
    {
        for path in ["/login", "/logout"] {
            let refused = person.post(path).header(name, value).form(&[("user", "eve")]).send().await.unwrap();
            assert_eq!(refused.status(), 403, "{path} with {name}: {value}");
            assert!(refused.headers().get("set-cookie").is_none());
        }
    }
    assert_eq!(person.session().await["user"], "anonymous");
}

#[tokio::test]
async fn heads_and_prefetches_start_no_session() {
    let pod = pod(&[]).await;
    let client = Client::new();
    let head = client.head(pod.url("/")).send().await.unwrap();
    assert_eq!(head.status(), 200);
    let prefetch = client.get(pod.url("/")).header("sec-purpose", "prefetch;prerender").send().await.unwrap();
    for answer in [head, prefetch] {
        assert!(answer.headers().get("set-cookie").is_none());
    }
    assert_eq!(client.get(pod.url("/nowhere")).send().await.unwrap().status(), 404);
    assert_eq!(pod.metric("total_logins").await, 0.0);
}

#[tokio::test]
async fn with_tab_scope_each_tab_is_a_session_of_its_own() {
    let pod = pod(&[("SESSION_SCOPE", "tab")]).await;
    let browser = pod.person();
    let mut tabs = Vec::new();
    for _ in 0..2 {
        let redirect = browser.get("/").await;
        assert_eq!(redirect.status(), 303);
        let path = redirect.headers()["location"].to_str().unwrap().to_owned();
        let page = browser.get(&path).await;
        assert!(page.headers()["set-cookie"].to_str().unwrap().contains(&format!("Path={path}")));
        tabs.push(path);
    }
    assert_eq!(pod.metric("total_logins").await, 2.0);
    let login = browser.post(&format!("{}login", tabs[0])).form(&[("user", "ada")]).send().await.unwrap();
    assert_eq!(login.headers()["location"].to_str().unwrap(), tabs[0]);
    let mut users = Vec::new();
    for tab in &tabs {
        let session: serde_json::Value = browser.get(&format!("{tab}session")).await.json().await.unwrap();
        users.push(session["user"].as_str().unwrap().to_owned());
    }
    assert_eq!(users, ["ada", "anonymous"]);
}

#[tokio::test]
async fn a_session_expires_when_idle_but_not_under_an_open_stream() {
    let pod = pod(&[("SESSION_TTL", "1s")]).await;
    let (idle, connected) = (pod.person().visit().await, pod.person().visit().await);
    let _stream = connected.events().await;
    assert_eq!(idle.status("/session").await, 200);
    test_support::eventually("the idle session's end", || async {
        (pod.metric("lastcall_session_ends_total{outcome=\"expired\"}").await == 1.0).then_some(())
    })
    .await;
    assert_eq!(idle.status("/session").await, 401);
    assert_eq!(connected.status("/session").await, 200);
}
