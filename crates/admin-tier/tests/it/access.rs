//! What is open to whom in each mode, and that nothing is changed for another site's page in any of them.

use http::header::LOCATION;
use test_support::Person;

use crate::Admin;

const PODS: [&str; 1] = ["127.0.0.1:1"];
const HEADER: (&str, &str) = ("TRUSTED_USER_HEADER", "X-Forwarded-User");

/// Every mode, with what it needs.
const MODES: [&[(&str, &str)]; 4] = [
    &[("ADMIN_AUTH", "off")],
    &[("ADMIN_AUTH", "token")],
    &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener")],
    &[("ADMIN_AUTH", "proxy"), HEADER, ("TRUSTED_PROXIES", "127.0.0.0/8")],
];

/// Everything that is not open to all, known or not.
const CLOSED: [&str; 17] = [
    "/",
    "/admin",
    "/admin/users",
    "/admin/history",
    "/admin/history/drain?pod=a&started=1",
    "/admin/events",
    "/admin/users/events",
    "/admin/history/events",
    "/admin/history/drain/events?pod=a&started=1",
    "/admin/users.csv",
    "/admin/users.json",
    "/admin/api/v1/drains",
    "/admin/api/v1/sessions",
    "/admin/api/v1/pods",
    "/admin/api/v1/orphans",
    "/openapi.json",
    "/admin/nowhere",
];

async fn proxied(person: &Person, path: &str, user: &str) -> u16 {
    person.request(path).header(HEADER.1, user).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn only_probes_metrics_assets_and_the_sign_in_are_open() {
    for options in &MODES[1..] {
        let admin = Admin::with(&PODS, options).await;
        let person = admin.person();
        for path in ["/health", "/healthz", "/ready", "/readyz", "/metrics", "/favicon.ico"] {
            assert_eq!(person.status(path).await, 200, "{path} with {options:?}");
        }
        for path in CLOSED {
            let status = person.status(path).await;
            assert!([303, 401, 403].contains(&status), "{path} is {status} with {options:?}");
            assert_ne!(person.post(path).send().await.unwrap().status(), 405, "{path} with {options:?}");
        }
    }
    let admin = Admin::with(&PODS, MODES[2]).await;
    let page = admin.person().text("/admin/sign-in").await;
    let style = page.split('"').find(|part| part.ends_with("style.css")).unwrap();
    assert_eq!(admin.person().status(style).await, 200);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_in_any_mode() {
    for options in MODES {
        let admin = Admin::with(&PODS, options).await;
        for path in ["/admin/sign-in", "/admin/sign-in/link", "/admin/sign-out", "/admin", "/admin/nowhere"] {
            let post = || admin.person().post(path).header(HEADER.1, "ada").form(&[("token", "opener")]);
            for (name, value) in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("origin", "https://evil.test"),
                ("origin", "null"),
            ] {
                let refused = post().header(name, value).send().await.unwrap();
                assert_eq!(refused.status(), 403, "{path}, {name}: {value}, {options:?}");
                assert!(refused.headers().get("set-cookie").is_none());
                assert!(refused.text().await.unwrap().contains("another site"));
            }
            let own = post().header("sec-fetch-site", "same-origin").header("origin", format!("http://{}", admin.http));
            for ours in [post(), own, post().header("sec-fetch-site", "none")] {
                assert_ne!(ours.send().await.unwrap().status(), 403, "{path} {options:?}");
            }
        }
    }
}

#[tokio::test]
async fn only_the_trusted_proxy_can_name_an_operator() {
    let admin = Admin::with(&PODS, MODES[3]).await;
    let person = admin.person();
    let page = person.request("/admin").header(HEADER.1, "Ada <b>").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Signed in as <bdi>Ada &#60;b&#62;</bdi>") && !page.contains("Sign out"), "{page}");
    assert_eq!(proxied(&person, "/admin/api/v1/pods", "ada").await, 200);
    for no_name in ["", " "] {
        assert_eq!(proxied(&person, "/admin", no_name).await, 403);
    }
    let unnamed = person.get("/admin").await;
    assert_eq!(unnamed.status(), 403);
    assert!(unnamed.text().await.unwrap().contains("x-forwarded-user"));
    let twice = person.request("/admin").header(HEADER.1, "ada").header(HEADER.1, "eve").send().await.unwrap();
    assert_eq!(twice.status(), 400);
    assert_eq!(person.get("/admin/sign-in").await.headers()[LOCATION], "/admin", "there is nothing to sign in to");

    let elsewhere = [("ADMIN_AUTH", "proxy"), HEADER, ("TRUSTED_PROXIES", "10.0.0.0/8"), ("ADMIN_TOKEN", "opener")];
    let admin = Admin::with(&PODS, &elsewhere).await;
    for path in CLOSED {
        let stranger = admin.person().request(path).header(HEADER.1, "ada").bearer_auth("opener");
        assert_eq!(stranger.send().await.unwrap().status(), 403, "{path}");
    }
}
