//! Uploads and exports over HTTP, with bad input.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use test_support::{Person, eventually};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::pod;

async fn upload(person: &Person, content: Vec<u8>) -> (u16, Value) {
    let answer = person.post("/uploads").body(content).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn export(person: &Person, rounds: u32, text: &'static str) -> (u16, Value) {
    let answer = person.post(&format!("/exports?rounds={rounds}")).body(text).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn uploads_are_answered_with_size_and_digest_and_refused_with_a_reason() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    // Two at once, one of them above the limit for other bodies.
    let (small, large) = (b"notes".to_vec(), vec![b'x'; 3_000_000]);
    let receipt =
        |content: &[u8]| json!({ "bytes": content.len(), "sha256": format!("{:x}", Sha256::digest(content)) });
    let expected = [&small, &large].map(|content| (200, receipt(content)));
    assert_eq!(<[_; 2]>::from(tokio::join!(upload(&person, small), upload(&person, large))), expected);

    let stranger = upload(&pod.person(), b"notes".to_vec()).await;
    assert_eq!(stranger.0, 401, "{stranger:?}");
    let foreign = person.post("/uploads").header("sec-fetch-site", "cross-site").body("notes").send().await.unwrap();
    assert_eq!(foreign.status(), 403);

    // A file that announces to be too large is refused before it is sent.
    let page = reqwest::get(pod.url("/")).await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let mut connection = TcpStream::connect(&pod.http).await.unwrap();
    let head = format!("POST /uploads HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nContent-Length: 5000000001\r\n\r\n");
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn exports_are_tasks_of_the_session_that_began_them() {
    let pod = pod(&[]).await;
    let (ada, eve) = (pod.person().visit().await, pod.person().visit().await);
    assert_eq!(export(&pod.person(), 20_000, "").await.0, 401);
    assert_eq!(export(&ada, 21_000, "").await.0, 422);
    let too_long = ada.post("/exports?rounds=20000").body("x".repeat(300_000)).send().await.unwrap();
    assert_eq!(too_long.status(), 413);
    assert_eq!(ada.session().await["drain"], Value::Null);

    let (status, begun) = export(&ada, 20_000, "Ünsent").await;
    assert_eq!((status, &begun["state"]), (201, &json!("running")), "{begun}");
    assert_eq!(export(&ada, 20_000, "").await.0, 409, "one at a time");
    let file = format!("/exports/{}", begun["export_id"].as_str().unwrap());
    assert_eq!((ada.status(&file).await, eve.status(&file).await), (409, 404));
    assert_eq!(eve.text("/exports").await, r#"{"exports":[]}"#);
    assert_eq!(pod.metric("lastcall_tasks_active").await, 1.0);

    // A login gives the session another id.
    assert_eq!(ada.login("ada").await.status(), 303);
    let content = eventually("the file", || async {
        let answer = ada.get(&file).await;
        (answer.status() == 200).then_some(answer)
    });
    let content = content.await.text().await.unwrap();
    let mut seal = Sha256::digest("Ünsent");
    for _ in 1..20_000 {
        seal = Sha256::digest(seal);
    }
    assert!(content.contains("\n\nÜnsent\n\n") && content.ends_with(&format!("\n{seal:x}\n")), "{content}");
    let ended = || async { (pod.metric("lastcall_tasks_total{outcome=\"done\"}").await == 1.0).then_some(()) };
    eventually("the end of the task", ended).await;
    assert_eq!((ada.status(&file).await, eve.status(&file).await), (200, 404));
}
