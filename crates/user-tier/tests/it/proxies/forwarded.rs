//! Forwarded fields of proxies (`TRUSTED_PROXIES`), and sites that may post (`ALLOWED_ORIGINS`).

use http::StatusCode;
use test_support::{Person, UserPod};

use super::login;
use crate::pod;

const HERE: (&str, &str) = ("TRUSTED_PROXIES", "127.0.0.0/8");
const ELSEWHERE: (&str, &str) = ("TRUSTED_PROXIES", "10.0.0.0/8");

/// Posts the form of the page at `http://app.test:8080` through a proxy that rewrites `Host`.
async fn post_from_app(pod: &UserPod) -> StatusCode {
    let post = pod.person().post("/login").form(&[("user", "ada")]).header("origin", "http://app.test:8080");
    post.header("x-forwarded-host", "app.test:8080").send().await.unwrap().status()
}

/// The name of the cookie in the answer to a request with this field.
async fn cookie(pod: &UserPod, (name, value): (&str, &str)) -> String {
    let answer = pod.person().request("/").header(name, value).send().await.unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split('=').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_forwarded_host_counts_from_trusted_proxies_only() {
    for (options, status) in
        [(&[][..], StatusCode::FORBIDDEN), (&[HERE], StatusCode::SEE_OTHER), (&[ELSEWHERE], StatusCode::FORBIDDEN)]
    {
        assert_eq!(post_from_app(&pod(options).await).await, status, "{options:?}");
    }
}

#[tokio::test]
async fn a_secure_scheme_is_read_in_every_spelling_and_from_trusted_proxies_only() {
    let (anybody, here, elsewhere) = (pod(&[]).await, pod(&[HERE]).await, pod(&[ELSEWHERE]).await);
    for field in [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-proto", "wss"),
        ("x-forwarded-proto", "\"WSS\", http"),
        ("forwarded", "for=192.0.2.1;Proto=\"https\", for=10.0.0.1;proto=http"),
    ] {
        assert_eq!(cookie(&anybody, field).await, "__Host-session", "{field:?}");
        assert_eq!(cookie(&here, field).await, "__Host-session", "{field:?}");
        assert_eq!(cookie(&elsewhere, field).await, "session", "{field:?}");
    }
    for field in
        [("x-forwarded-proto", "ws"), ("x-forwarded-proto", "http, https"), ("forwarded", "for=a, proto=https")]
    {
        assert_eq!(cookie(&here, field).await, "session", "{field:?}");
    }
}

#[tokio::test]
async fn pages_of_allowed_origins_post_and_others_do_not() {
    let pod = pod(&[("ALLOWED_ORIGINS", "https://www.example.org, http://shop.test:8080")]).await;
    for (origin, site, status) in [
        ("https://www.example.org", Some("same-site"), StatusCode::SEE_OTHER),
        ("http://shop.test:8080", Some("cross-site"), StatusCode::SEE_OTHER),
        ("http://shop.test:8080", None, StatusCode::SEE_OTHER),
        ("http://shop.test", Some("cross-site"), StatusCode::FORBIDDEN),
        ("https://evil.test", Some("cross-site"), StatusCode::FORBIDDEN),
    ] {
        let person = Person::new(&pod.http).visit().await;
        assert_eq!(login(&person, origin, site).await.status(), status, "{origin} {site:?}");
    }
}
