//! Header fields with raw bytes: the parts for us are read, whatever is beside them.

use http::HeaderValue;
use reqwest::{Client, Response};
use test_support::UserPod;

use crate::pod;

fn bytes(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).unwrap()
}

async fn ask(pod: &UserPod, path: &str, fields: &[(&'static str, HeaderValue)]) -> Response {
    let request =
        fields.iter().fold(Client::new().get(pod.url(path)), |request, (name, value)| request.header(*name, value));
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_session_is_found_beside_cookies_that_are_not_text() {
    let pod = pod(&[]).await;
    let answer = Client::new().get(pod.url("/")).send().await.unwrap();
    let session = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().as_bytes().to_owned();
    for (before, after) in [
        ("campaign=Undersøgelse; ".as_bytes(), &b""[..]),
        (b"a=\xc3\xbc; ", b"; b=\xff\xfe"),
        (b"", b";\x80=\x80"),
        (b"session=\xff; ", b""),
    ] {
        let cookie = bytes(&[before, &session, after].concat());
        for path in ["/", "/session"] {
            let answer = ask(&pod, path, &[("cookie", cookie.clone())]).await;
            assert_eq!(answer.status(), 200, "{path} {cookie:?}");
            assert!(answer.headers().get("set-cookie").is_none(), "{path} {cookie:?}");
        }
    }
    assert_eq!(pod.metric("total_logins").await, 1.0);
}

#[tokio::test]
async fn an_invalid_element_of_a_list_does_not_affect_the_others() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    let page = person.request("/nowhere").header("accept", bytes(b"text/html, \xff"));
    let page = page.send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let form = person.post("/login").header("content-type", bytes(b"application/x-www-form-urlencoded; charset=\xff"));
    assert_eq!(form.body("user=a%FFb&x=\u{fc}").send().await.unwrap().status(), 303);
    let proto = ask(&pod, "/", &[("x-forwarded-proto", bytes(b"https, \xff"))]).await;
    assert!(proto.headers()["set-cookie"].to_str().unwrap().starts_with("__Host-session="));
    let script = ask(&pod, "/assets/lastcall.js", &[]).await;
    let known = [b"\"\xff\", ", script.headers()["etag"].as_bytes()].concat();
    assert_eq!(ask(&pod, "/assets/lastcall.js", &[("if-none-match", bytes(&known))]).await.status(), 304);
    let foreign = person.post("/login").header("origin", bytes(b"http://\xff")).form(&[("user", "eve")]);
    assert_eq!(foreign.send().await.unwrap().status(), 403, "what cannot be read is not ours");
}

#[tokio::test]
async fn names_that_differ_in_normal_form_are_one_user_and_cut_names_are_whole() {
    let pod = pod(&[("TRUSTED_PROXIES", "127.0.0.1"), ("TRUSTED_USER_HEADER", "Remote-User")]).await;
    let person = pod.person();
    for name in ["Zoë", "Zoe\u{308}", " Zoë "] {
        let answer = person.request("/session").header("remote-user", bytes(name.as_bytes())).send().await.unwrap();
        let started = person.request("/").header("remote-user", bytes(name.as_bytes())).send().await.unwrap();
        assert_eq!((answer.status() == 200, started.status().as_u16()), (name != "Zoë", 200), "{name:?}");
    }
    assert_eq!(pod.metric("total_logins").await, 1.0, "one user, one session");
    let pod = crate::pod(&[]).await;
    let person = pod.person().visit().await;
    let long = format!("{}👩\u{200D}👧", "a".repeat(62));
    for (typed, kept) in
        [("\u{3164}", "anonymous"), ("\u{AD}", "anonymous"), (&long, &*"a".repeat(62)), ("Zoe\u{308}", "Zoë")]
    {
        person.login(typed).await;
        assert_eq!(person.session().await["user"], kept, "{typed:?}");
    }
}
