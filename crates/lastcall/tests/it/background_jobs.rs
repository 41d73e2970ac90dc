//! The example `background_jobs`: work beside requests stops at the notice, and the drain goes on.

use test_support::{Person, Process, Signal};

use crate::example;

async fn start() -> (Process, Person) {
    let (process, address) = example("background_jobs", &["127.0.0.1:0", "3600", "0"]).await;
    (process, Person::new(&address))
}

/// Where the first line of the log is that has this part.
fn position(log: &[String], part: &str) -> usize {
    log.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part} in\n{}", log.join("\n")))
}

#[tokio::test]
async fn a_job_stops_at_the_notice_while_the_drain_waits_for_a_user() {
    let (mut process, person) = start().await;
    let person = person.visit().await;
    let _stream = person.events().await;
    process.signal(Signal::SIGTERM);
    process.line("the report stops after page").await;
    assert_eq!(person.session().await["drain"]["reason"], "shutdown", "the user is still there");
    assert_eq!(person.post("/logout").send().await.unwrap().status(), 200);
    assert!(process.wait().await.success());
    let log = process.log();
    assert!(position(&log, "the report stops") < position(&log, "Shutting down cleanly..."));
    let end = ["Waiting 0s for endpoint removal", "Closing report archive (up to 10s)...", "Shutting down cleanly..."];
    let end = end.map(|line| position(&log, &format!("[GRACEFUL SHUTDOWN] {line}")));
    assert!(end.is_sorted(), "{log:#?}");
    position(&log, "the next pod continues the report");
}

#[tokio::test]
async fn a_job_stops_where_no_user_is_there_to_be_notified() {
    let (mut process, _) = start().await;
    process.signal(Signal::SIGTERM);
    assert!(process.wait().await.success());
    let log = process.log();
    position(&log, "0 active users detected");
    position(&log, "the next pod continues the report");
}
