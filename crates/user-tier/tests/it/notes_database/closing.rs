//! The closer of the database: waits for what runs, and refuses what comes.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};
use test_support::{Postgres, eventually};
use tokio::time::{Instant, sleep};
use user_tier::notes::{Notes, NotesError, Owner, Saved, Version};

/// How long the other transaction holds its lock.
const TRANSACTION: Duration = Duration::from_secs(2);

#[tokio::test]
async fn closing_waits_for_a_save_that_waits_for_a_transaction_of_two_seconds() {
    let server = Postgres::start().await;
    let notes = Notes::open(&server.url().parse().unwrap());
    let ada = Owner::user("ada");
    let Saved::Stored(version) = notes.save(ada.clone(), "one".into(), Version::NONE).await.unwrap() else {
        panic!("nothing was stored before");
    };
    let mut other = PgConnection::connect(&server.url()).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    transaction.execute("SELECT * FROM notes FOR UPDATE").await.unwrap();
    let save = tokio::spawn({
        let (notes, ada) = (notes.clone(), ada.clone());
        async move { notes.save(ada, "two".into(), version).await }
    });
    let mut observer = PgConnection::connect(&server.url()).await.unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let mut waiting = 0_i64;
    let deadline = Instant::now() + test_support::TEST_TIMEOUT;
    while waiting == 0 && Instant::now() < deadline {
        waiting = sqlx::query_scalar(waits).fetch_one(&mut observer).await.unwrap();
    }
    assert_eq!(waiting, 1, "the save waits for the lock");

    let begun = Instant::now();
    let closing = tokio::spawn({
        let notes = notes.clone();
        async move { notes.close().await }
    });
    eventually("new saves to be refused", || async {
        let refused = notes.load(Owner::user("bob")).await;
        (refused == Err(NotesError::Closing)).then_some(())
    })
    .await;
    // The length of the transaction is what this test is about.
    sleep(TRANSACTION).await;
    assert!(!closing.is_finished(), "it waits");
    transaction.commit().await.unwrap();
    assert!(matches!(save.await.unwrap(), Ok(Saved::Stored(_))));
    closing.await.unwrap();
    assert!(begun.elapsed() >= TRANSACTION);
    let text: String = sqlx::query_scalar("SELECT text FROM notes").fetch_one(&mut observer).await.unwrap();
    assert_eq!(text, "two");
}
