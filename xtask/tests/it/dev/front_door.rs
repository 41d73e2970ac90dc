//! The front door in front of real pods.

use test_support::{Events, Person, Signal, eventually};

use super::Dev;

/// Opens a tab: returns its path, and the pod that serves it.
async fn open_tab(person: &Person) -> (String, String) {
    let redirect = person.get("/").await;
    let path = redirect.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(person.status(&path).await, 200);
    let session: serde_json::Value = person.get(&format!("{path}session")).await.json().await.unwrap();
    (path, session["pod"].as_str().unwrap().to_owned())
}

async fn pod_of(person: &Person, path: &str) -> Option<String> {
    let session: serde_json::Value = person.get(&format!("{path}session")).await.json().await.ok()?;
    Some(session["pod"].as_str()?.to_owned())
}

#[tokio::test]
async fn the_user_of_a_draining_pod_continues_on_another_pod_at_the_same_address() {
    let dev = Dev::start(&["--drain-timeout", "5m"], &[]).await;
    let person = dev.person();
    let (first, second) = (open_tab(&person).await, open_tab(&person).await);
    assert_eq!((first.1.as_str(), second.1.as_str()), ("user-1", "user-2"), "two tabs of one browser");
    for _ in 0..3 {
        assert_eq!(pod_of(&person, &first.0).await.as_deref(), Some("user-1"));
    }
    let mut events = Events::new(person.get(&format!("{}events", first.0)).await);
    assert_eq!(events.next().await.name, "connected");

    dev.drain("user-1");
    assert_eq!(events.next_named("drain").await.data["reason"], "shutdown", "the stream is passed on as it comes");
    assert_eq!(open_tab(&person).await.1, "user-2", "new tabs go elsewhere at once");
    assert_eq!(open_tab(&person).await.1, "user-2");
    assert_eq!(pod_of(&person, &first.0).await.as_deref(), Some("user-1"), "its own tab stays until the end");
    assert_eq!(person.post(&format!("{}logout", first.0)).send().await.unwrap().status(), 200);
    assert_eq!(events.next_named("session-ended").await.data["reason"], "logout");
    assert_eq!(person.status(&first.0).await, 200, "whether the pod is gone by now or not");
    assert_eq!(pod_of(&person, &first.0).await.as_deref(), Some("user-2"));

    dev.line("user-1 has drained and exited").await;
    let mut dev = dev;
    dev.signal(Signal::SIGINT);
    dev.line("draining 1 user pod").await;
    // Two signals in quick succession count as one, so it is repeated.
    eventually("the end, hurried", || async {
        dev.signal(Signal::SIGINT);
        dev.log().iter().any(|line| line.contains("==> hurrying")).then_some(())
    })
    .await;
    assert!(dev.wait().await.success());
}

#[tokio::test]
async fn pods_and_admin_tier_end_with_a_dev_that_is_killed() {
    let dev = Dev::start(&[], &[]).await;
    let (port, listens) = (dev.port, |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!([2, 100, 200].into_iter().all(|offset| listens(port + offset)));
    dev.signal(Signal::SIGKILL);
    eventually("the end of all of them", || async {
        (![0, 2, 100, 200].into_iter().any(|offset| listens(port + offset))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_without_users_skips_the_propagation() {
    let dev = Dev::start(&[], &[("PROPAGATION_WAIT", "1h")]).await;
    dev.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_reported_before_the_build() {
    let port = super::free_ports();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port + 200)).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
    // Otherwise cargo would fail.
    let output = command.args(["dev", "--port", &port.to_string()]).env("CARGO", "/nowhere/cargo").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("user-2 cannot listen on {}", taken.local_addr().unwrap())), "{said}");
    assert!(!said.contains("/nowhere"), "{said}");
}
