//! The chat of the sample page, over real WebSockets.

use serde_json::{Value, json};
use test_support::{Person, Redis, Socket, UserPod};

use crate::{BINARY, QUICK};

async fn open(person: &Person) -> Socket {
    person.websocket("/chat").await
}

/// The next message of this type; others are skipped.
async fn next(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let message: Value = serde_json::from_str(&socket.text().await).unwrap();
        if message["type"] == kind {
            return message;
        }
    }
}

async fn reaches(socket: &mut Socket, reach: &str) {
    while next(socket, "reach").await["reach"] != reach {}
}

async fn say(socket: &mut Socket, id: &str, text: &str) {
    socket.send(json!({ "id": id, "text": text }).to_string()).await;
}

#[tokio::test]
async fn users_of_all_pods_of_one_redis_reach_each_other_and_those_of_one_pod_while_it_is_away() {
    let mut redis = Redis::start().await;
    let url = redis.url();
    let options = [("REDIS_URL", url.as_str()), ("SESSION_KEY", "0123456789abcdef0123456789abcdef")];
    let pod = async |name| UserPod::start(BINARY, name, &[&QUICK[..], &options].concat()).await;
    let (first, second) = (pod("user-1").await, pod("user-2").await);
    let (ada, bob) = (first.person().visit().await, second.person().visit().await);
    ada.login("<b>ada</b>").await;
    let (mut here, mut there) = (open(&ada).await, open(&bob).await);
    reaches(&mut here, "all-servers").await;
    reaches(&mut there, "all-servers").await;
    say(&mut here, "1", " hello <i>there</i> ").await;
    let expected = json!({ "type": "said", "id": "1", "user": "<b>ada</b>", "text": "hello <i>there</i>" });
    assert_eq!(next(&mut here, "said").await, expected);
    assert_eq!(next(&mut there, "said").await, expected);
    let mut late = open(&bob).await;
    assert_eq!(next(&mut late, "said").await, expected, "the last texts are kept");

    redis.kill().await;
    reaches(&mut here, "this-server-for-now").await;
    say(&mut here, "2", "alone").await;
    assert_eq!(next(&mut here, "said").await["text"], "alone");
    redis.start_again().await;
    reaches(&mut here, "all-servers").await;
    reaches(&mut there, "all-servers").await;
    say(&mut there, "3", "again").await;
    assert_eq!(next(&mut here, "said").await["text"], "again");
    assert_eq!(next(&mut there, "said").await["id"], "3", "what was said meanwhile stayed there");
}

#[tokio::test]
async fn texts_are_bounded_in_length_and_rate_and_without_redis_the_chat_is_of_one_server() {
    let pod = crate::pod(&[("SESSION_SCOPE", "browser")]).await;
    let mut socket = open(&pod.person().visit().await).await;
    assert_eq!(next(&mut socket, "reach").await["reach"], "this-server");
    for (text, reason) in [("x".repeat(501), "invalid"), (" ".to_owned(), "invalid")] {
        say(&mut socket, "1", &text).await;
        assert_eq!(next(&mut socket, "refused").await["reason"], reason);
    }
    for number in 0..6 {
        say(&mut socket, &number.to_string(), "hello").await;
    }
    let refused = next(&mut socket, "refused").await;
    assert_eq!((refused["id"].as_str(), refused["reason"].as_str()), (Some("5"), Some("too-fast")));
    for _ in 0..60 {
        _ = socket.send_message(tokio_tungstenite::tungstenite::Message::text("nonsense")).await;
    }
    assert_eq!(socket.close_code().await, Some(1008));
    assert_eq!(pod.person().try_websocket("/chat").await.unwrap_err().status(), 401);
}
