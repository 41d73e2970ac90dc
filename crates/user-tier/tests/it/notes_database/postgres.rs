//! Notes in PostgreSQL.

use test_support::{Postgres, UserPod, eventually};

use super::{NONE, complaints, put, save, text, user};
use crate::{BINARY, QUICK, pod};

#[tokio::test]
async fn pods_that_start_together_share_the_notes_and_overwrite_none() {
    let server = Postgres::start().await;
    let url = server.url();
    let options = [&QUICK[..], &[("DATABASE_URL", url.as_str())]].concat();
    let start = |name: &'static str| UserPod::start(BINARY, name, &options);
    let (first, second, third) = tokio::join!(start("user-1"), start("user-2"), start("user-3"));
    let (here, there) = (user(&first, "ada").await, user(&second, "ada").await);
    let version = save(&here, "written here", NONE).await;
    assert_eq!(text(&there).await, "written here");
    let later = save(&there, "written there", &version).await;
    assert_eq!(put(&here, "written here again", &version).await.status(), 409);
    assert_eq!(text(&user(&third, "ada").await).await, "written there");
    save(&here, "combined", &later).await;
    for pod in [&first, &second, &third] {
        assert_eq!(complaints(pod), [""; 0]);
    }
}

#[tokio::test]
async fn a_database_that_is_away_at_the_start_is_used_once_it_is_there_and_goes_away_again() {
    let mut server = Postgres::start().await;
    server.stop().await;
    let url = server.url().replace("lastcall@", "lastcall:hunter2@");
    let pod = pod(&[("DATABASE_URL", &url)]).await;
    let ada = user(&pod, "ada").await;
    let refused = put(&ada, "one", NONE).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(pod.person().status("/ready").await, 200);
    pod.line("notes cannot be saved").await;
    server.start_again().await;
    let version = eventually("a save", || async {
        let answer = put(&ada, "one", NONE).await;
        (answer.status() == 200).then_some(answer)
    })
    .await;
    let version: serde_json::Value = version.json().await.unwrap();
    pod.line("notes can be saved again").await;
    assert_eq!(complaints(&pod).len(), 1, "not one a request, and not one an attempt");

    // It does not answer, while its connections stay open.
    server.suspend();
    let waiting = put(&ada, "two", version["version"].as_str().unwrap()).await;
    assert_eq!(waiting.status(), 503);
    server.resume();
    eventually("another save", || async {
        (put(&ada, "two", version["version"].as_str().unwrap()).await.status() == 200).then_some(())
    })
    .await;
    let log = pod.log().join("\n");
    assert!(log.contains("check that it runs") && !log.contains("hunter2") && !log.contains("lastcall@"), "{log}");
}
