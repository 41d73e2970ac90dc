//! Notes in a file of SQLite.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use test_support::Signal;

use super::{NONE, complaints, put, save, text, user};
use crate::pod;

#[tokio::test]
async fn notes_survive_a_pod_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("notes.db").display());
    let mut first = pod(&[("DATABASE_URL", &url)]).await;
    let version = save(&user(&first, "ada").await, "before the kill", NONE).await;
    first.signal(Signal::SIGKILL);
    assert!(!first.wait().await.success());
    let second = pod(&[("DATABASE_URL", &url)]).await;
    let ada = user(&second, "ada").await;
    assert_eq!(text(&ada).await, "before the kill");
    save(&ada, "and after", &version).await;
}

#[tokio::test]
async fn a_locked_file_is_reported_once_and_saves_are_possible_again_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    let pod = pod(&[("DATABASE_URL", &format!("sqlite:{}", path.display()))]).await;
    let ada = user(&pod, "ada").await;
    let version = save(&ada, "one", NONE).await;
    let mut lock = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    lock.execute("BEGIN IMMEDIATE").await.unwrap();
    let (first, second) = tokio::join!(put(&ada, "two", &version), put(&ada, "two", &version));
    for refused in [first, second] {
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers()["retry-after"], "1");
        assert!(refused.text().await.unwrap().contains("the database is locked"));
    }
    assert_eq!(text(&ada).await, "one", "reading needs no lock");
    lock.execute("ROLLBACK").await.unwrap();
    lock.close().await.unwrap();
    save(&ada, "two", &version).await;
    pod.line("notes can be saved again").await;
    let complaints = complaints(&pod);
    assert!(complaints.len() == 1 && complaints[0].contains("find the process"), "{complaints:?}");
}
