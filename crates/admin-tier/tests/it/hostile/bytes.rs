//! Fields with raw bytes in them, and what browsers and proxies say of where a request comes from.

use http::HeaderValue;
use reqwest::Client;

use crate::Admin;

const LOCKED: [(&str, &str); 2] = [("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "a-token-of-the-tests")];

fn bytes(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).unwrap()
}

#[tokio::test]
async fn a_sign_in_cookie_is_found_beside_cookies_that_are_not_text_and_a_garbled_token_is_wrong() {
    let admin = Admin::with(&["127.0.0.1:1"], &LOCKED).await;
    let url = format!("http://{}/admin/api/v1/pods", admin.http);
    let opened = admin.person().post("/admin/sign-in").form(&[("token", LOCKED[1].1)]).send().await.unwrap();
    let ticket = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().as_bytes();
    let cookie = bytes(&[b"campaign=Unders\xc3\xb8gelse; ", ticket, b"; b=\xff"].concat());
    let ask = || Client::new().get(&url).header("cookie", &cookie);
    assert_eq!(ask().send().await.unwrap().status(), 200);
    let garbled = ask().header("authorization", bytes(b"Bearer \xff")).send().await.unwrap();
    assert_eq!(garbled.status(), 401, "what is presented counts, not the cookie beside it");
    assert!(garbled.headers()["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    let bearer = Client::new().get(&url).bearer_auth(LOCKED[1].1).header("x-other", bytes(b"\xff"));
    assert_eq!(bearer.send().await.unwrap().status(), 200);
    let led = admin.person().request("/admin").header("accept", bytes(b"text/html, \xff")).send().await.unwrap();
    assert_eq!(led.status(), 303);
}

#[tokio::test]
async fn sec_fetch_site_takes_precedence_over_the_host_and_a_trusted_proxys_host_counts() {
    let plain = Admin::with(&["127.0.0.1:1"], &LOCKED).await;
    let trusting = Admin::with(&["127.0.0.1:1"], &[&LOCKED[..], &[("TRUSTED_PROXIES", "127.0.0.1")]].concat()).await;
    let origin = ("origin", "https://admin.test:8443");
    for (fields, by_anybody, by_proxy) in [
        (&[("sec-fetch-site", "same-origin"), origin][..], 303, 303),
        (&[("sec-fetch-site", "cross-site"), origin, ("x-forwarded-host", "admin.test:8443")], 403, 403),
        (&[origin, ("x-forwarded-host", "admin.test:8443")], 403, 303),
        (&[origin], 403, 403),
    ] {
        for (admin, status) in [(&plain, by_anybody), (&trusting, by_proxy)] {
            let post = admin.person().post("/admin/sign-in").form(&[("token", LOCKED[1].1)]);
            let post = fields.iter().fold(post, |post, (name, value)| post.header(*name, *value));
            assert_eq!(post.send().await.unwrap().status(), status, "{fields:?}");
        }
    }
    let distrusting =
        Admin::with(&["127.0.0.1:1"], &[&LOCKED[..], &[("TRUSTED_PROXIES", "10.0.0.0/8")]].concat()).await;
    for (admin, secure) in [(&plain, true), (&trusting, true), (&distrusting, false)] {
        let post = admin.person().post("/admin/sign-in").header("x-forwarded-proto", "wss");
        let answer = post.form(&[("token", LOCKED[1].1)]).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert_eq!(cookie.starts_with("__Host-"), secure, "{cookie}");
    }
}
