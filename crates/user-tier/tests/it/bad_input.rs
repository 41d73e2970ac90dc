//! Malformed and hostile input: none of it breaks a pod or loses a session.

use reqwest::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::pod;

#[tokio::test]
async fn a_request_with_an_invalid_cookie_is_a_newcomer_and_never_an_error() {
    let pod = pod(&[]).await;
    let client = Client::new();
    let good = client.get(pod.url("/")).send().await.unwrap();
    let good = good.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let oversized = format!("session={}", "x".repeat(20_000));
    for bad in [&good[..good.len() - 2], "session=forged", "session=", &oversized, "session=\"\"; session"] {
        let answer = client.get(pod.url("/")).header("cookie", bad).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{bad:.60}");
        assert!(answer.headers().get("set-cookie").is_some(), "{bad:.60}");
        assert_eq!(client.get(pod.url("/session")).header("cookie", bad).send().await.unwrap().status(), 401);
    }
}

#[tokio::test]
async fn user_names_are_cut_cleaned_and_shown_escaped() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    for (typed, kept) in [("", "anonymous"), ("\u{0}\u{1b}[31m", "[31m"), ("\u{202e}evil", "evil")] {
        person.login(typed).await;
        assert_eq!(person.session().await["user"], kept, "{typed:?}");
    }
    person.login(&"x".repeat(10_000)).await;
    assert_eq!(person.session().await["user"].as_str().unwrap().len(), 64);
    person.login("<script>alert(1)</script>").await;
    let page = person.text("/").await;
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(page.contains("&#60;script&#62;alert(1)") || page.contains("&lt;script&gt;alert(1)"), "{page}");
}

#[tokio::test]
async fn unknown_paths_methods_and_large_bodies_get_a_clear_answer() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    let unknown = person.get("/nowhere").await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.headers()["content-type"], "application/problem+json");
    let method = person.post("/session").send().await.unwrap();
    assert_eq!(method.status(), 405);
    assert_eq!(method.headers()["content-type"], "application/problem+json");
    assert_eq!(person.post("/").send().await.unwrap().status(), 405);
    let large = person.post("/login").form(&[("user", "x".repeat(70_000))]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    let no_field = person.post("/login").form(&[("name", "ada")]).send().await.unwrap();
    assert!(no_field.status().is_client_error());
    assert_eq!(person.session().await["user"], "anonymous");
    let page = person.request("/nowhere").header("accept", "text/html").send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn newcomers_above_the_limit_get_the_busy_page_until_there_is_room() {
    let pod = pod(&[("MAX_SESSIONS", "1")]).await;
    let first = pod.person().visit().await;
    first.session().await;
    let second = pod.person();
    let busy = second.get("/").await;
    assert_eq!(busy.status(), 503);
    assert!(busy.headers().get("retry-after").is_some() && busy.headers().get("set-cookie").is_none());
    assert_eq!(first.status("/").await, 200);
    first.get("/logout").await;
    assert_eq!(second.status("/").await, 200);
}

#[tokio::test]
async fn a_head_above_32_kib_is_answered_with_431() {
    let pod = pod(&[]).await;
    for (bytes, status) in [(30_000, "200"), (40_000, "431")] {
        let mut stream = TcpStream::connect(&pod.http).await.unwrap();
        let head =
            format!("GET /health HTTP/1.1\r\nhost: x\r\nx-large: {}\r\nconnection: close\r\n\r\n", "x".repeat(bytes));
        // The pod may answer and close before it has read everything.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(std::str::from_utf8(&answer).unwrap(), format!("HTTP/1.1 {status}"));
    }
}

#[tokio::test]
async fn a_client_that_sends_its_head_byte_by_byte_is_cut_off_without_disturbing_others() {
    let pod = pod(&[]).await;
    let mut slow = TcpStream::connect(&pod.http).await.unwrap();
    let (mut read, mut write) = slow.split();
    let dripping = async {
        for byte in b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ".iter().chain(std::iter::repeat(&b'x')) {
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let cut_off = async {
        let mut rest = Vec::new();
        // The connection is closed or reset.
        let _ = read.read_to_end(&mut rest).await;
    };
    assert_eq!(pod.person().status("/").await, 200);
    tokio::select! {
        () = dripping => {}
        () = cut_off => {}
        () = tokio::time::sleep(test_support::TEST_TIMEOUT) => panic!("a slow head is waited for without a limit"),
    }
}

#[tokio::test]
async fn http2_without_tls_is_served() {
    let pod = pod(&[]).await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = client.get(pod.url("/")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
}

#[tokio::test]
async fn a_pod_that_is_nearly_full_is_not_ready_until_there_is_room() {
    let pod = pod(&[("MAX_SESSIONS", "10")]).await;
    let ready = || async {
        let answer = pod.person().get("/ready").await;
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    let mut people = Vec::new();
    for _ in 0..10 {
        assert_eq!(ready().await.0, 200);
        people.push(pod.person().visit().await);
    }
    let full = (503, serde_json::json!({ "status": "not_ready", "full": true }));
    assert_eq!(ready().await, full);
    people.pop().unwrap().post("/logout").send().await.unwrap();
    assert_eq!(ready().await, full, "nine of ten are no room yet");
    people.pop().unwrap().post("/logout").send().await.unwrap();
    assert_eq!(ready().await.0, 200);
}
