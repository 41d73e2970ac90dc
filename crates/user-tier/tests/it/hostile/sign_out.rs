//! Requests that no user made sign no user out, and start no session.

use test_support::Person;

use crate::pod;

const UNWANTED: [&[(&str, &str)]; 14] = [
    &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")],
    &[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "image")],
    &[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "iframe")],
    &[("sec-fetch-site", "same-site"), ("sec-fetch-dest", "empty")],
    &[("sec-fetch-dest", "style")],
    &[("sec-fetch-mode", "no-cors")],
    &[("sec-purpose", "prefetch;prerender"), ("sec-fetch-dest", "document")],
    &[("x-sec-purpose", "prefetch")],
    &[("purpose", "prefetch")],
    &[("x-purpose", "preview")],
    &[("x-moz", "prefetch")],
    &[("hx-preloaded", "true")],
    &[("next-router-prefetch", "1")],
    &[("x-middleware-prefetch", "1")],
];

async fn get(person: &Person, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
    let request = fields.iter().fold(person.request(path), |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_get_that_the_user_did_not_make_shows_a_button_and_ends_nothing() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    for fields in UNWANTED {
        for path in ["/logout", "/logout?reason=drain"] {
            let answer = get(&person, path, fields).await;
            assert_eq!((answer.status().as_u16(), answer.headers().get("set-cookie")), (200, None), "{fields:?}");
            let page = answer.text().await.unwrap();
            assert!(page.contains(r#"<form method="post" action="/logout""#), "{fields:?}: {page}");
        }
    }
    let (client, head) = person.request("/logout").build_split();
    let mut head = head.unwrap();
    *head.method_mut() = http::Method::HEAD;
    let answer = client.execute(head).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("set-cookie")), (200, None));
    person.session().await;
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"logout\"}").await, 0.0);
}

#[tokio::test]
async fn a_navigation_by_the_user_and_our_own_script_sign_out() {
    let pod = pod(&[]).await;
    for fields in [
        &[][..],
        &[("sec-fetch-site", "none"), ("sec-fetch-dest", "document")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "document"), ("sec-fetch-user", "?1")],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-dest", "document")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "empty")],
    ] {
        let person = pod.person().visit().await;
        let answer = get(&person, "/logout?reason=manual&x=%FF", fields).await;
        assert!(answer.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"), "{fields:?}");
        assert_eq!(person.status("/session").await, 401, "{fields:?}");
    }
}

#[tokio::test]
async fn prefetches_of_every_kind_start_no_session() {
    let pod = pod(&[]).await;
    for fields in UNWANTED.iter().filter(|fields| fields.iter().any(|(name, _)| !name.starts_with("sec-fetch"))) {
        let answer = get(&pod.person(), "/", fields).await;
        assert!(answer.headers().get("set-cookie").is_none(), "{fields:?}");
    }
    assert_eq!(pod.metric("total_logins").await, 0.0);
}
