//! Scenario A of the requirements: maintenance is turned on, all users are notified and leave, and after it all pods serve.

mod page;

use serde_json::Value;
use test_support::{Events, Person, Signal, UserPod, eventually};

use crate::switch::Switch;
use crate::{BINARY, QUICK};

async fn pod(name: &str, switch: &Switch, options: &[(&str, &str)]) -> UserPod {
    UserPod::start(BINARY, name, &[&QUICK, &switch.options()[..], options].concat()).await
}

async fn ready(pod: &UserPod) -> (u16, Value) {
    let answer = pod.person().get("/ready").await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Waits until newcomers are admitted; the session of the check signs out again.
async fn serves(pod: &UserPod) {
    let person = eventually("newcomers to be let in", || async {
        let person = pod.person();
        (person.status("/").await == 200).then_some(person)
    })
    .await;
    person.post("/logout").send().await.unwrap();
}

async fn visitor(pod: &UserPod) -> (Person, Events) {
    let person = pod.person().visit().await;
    let stream = person.events().await;
    (person, stream)
}

#[tokio::test]
async fn all_users_on_all_pods_are_notified_and_leave_or_are_forced_and_after_maintenance_all_pods_serve() {
    let switch = Switch::new("false");
    let mut pods = Vec::new();
    for name in ["user-1", "user-2", "user-3"] {
        pods.push(pod(name, &switch, &[]).await);
    }
    let mut leaver = visitor(&pods[0]).await;
    let mut stayer = visitor(&pods[1]).await;
    assert_eq!(ready(&pods[2]).await.0, 200);

    switch.set("true\n");
    for stream in [&mut leaver.1, &mut stayer.1] {
        let notice = stream.next_named("drain").await.data;
        assert_eq!(notice["reason"], "maintenance");
        assert_eq!(notice["message"], "Maintenance mode activated. Please save your work and logout.");
        assert_eq!(notice["countdown"], 3);
    }
    assert_eq!(ready(&pods[1]).await.0, 200, "users can save while they are being asked to");
    assert_eq!(stayer.0.status("/").await, 200, "existing sessions are served");
    let newcomer = pods[1].person().request("/").header("accept", "text/html").send().await.unwrap();
    assert_eq!((newcomer.status().as_u16(), newcomer.headers()["retry-after"].to_str().unwrap()), (503, "1800"));
    assert_eq!(newcomer.headers()["cache-control"], "no-store");
    assert!(!newcomer.headers().contains_key("set-cookie"));
    assert!(newcomer.text().await.unwrap().contains("<h1>We'll be back soon</h1>"));

    assert_eq!(leaver.0.post("/logout").send().await.unwrap().status(), 200);
    assert_eq!(stayer.1.next_named("session-ended").await.data["reason"], "forced");
    let closed = (503, serde_json::json!({ "status": "not_ready", "maintenance_mode": true }));
    for pod in &pods {
        eventually("the pod to be out of rotation", || async { (ready(pod).await == closed).then_some(()) }).await;
        assert_eq!(pod.person().status("/health").await, 200);
    }
    for (pod, told, graceful, forced) in
        [(&pods[0], 1.0, 1.0, 0.0), (&pods[1], 1.0, 0.0, 1.0), (&pods[2], 0.0, 0.0, 0.0)]
    {
        assert_eq!(pod.metric("drain_notifications_sent").await, told);
        assert_eq!(pod.metric("graceful_logouts_total").await, graceful);
        assert_eq!(pod.metric("forced_logouts_total").await, forced);
        assert_eq!(pod.metric("active_sessions_total").await, 0.0);
    }

    switch.set("false");
    for pod in &pods {
        serves(pod).await;
        assert_eq!(ready(pod).await.0, 200);
    }
    let logs = pods.iter().map(|pod| pod.drain_log()).collect::<Vec<_>>();
    let (enabled, disabled) =
        ("[MAINTENANCE] Maintenance mode enabled, notifying", "[MAINTENANCE] Maintenance mode disabled");
    assert_eq!(logs[0], [format!("{enabled} 1 user"), disabled.to_owned()]);
    assert_eq!(logs[2], [format!("{enabled} 0 users"), disabled.to_owned()]);
    assert_eq!((logs[1].first(), logs[1].last()), (Some(&format!("{enabled} 1 user")), Some(&disabled.to_owned())));
}

#[tokio::test]
async fn turning_maintenance_off_cancels_the_countdown_and_no_session_counts_as_notified() {
    let switch = Switch::new("false");
    let pod = pod("user-1", &switch, &[("DRAIN_TIMEOUT", "1h")]).await;
    let (person, mut stream) = visitor(&pod).await;
    switch.set("on");
    stream.next_named("drain").await;
    switch.set("off");
    let cancelled = stream.next_named("drain-cancelled").await.data;
    assert_eq!(cancelled["reason"], "maintenance");
    assert!(person.session().await["drain"].is_null());
    serves(&pod).await;
    person.post("/logout").send().await.unwrap();
    assert_eq!((pod.metric("drain_notifications_sent").await, pod.metric("graceful_logouts_total").await), (1.0, 0.0));

    // On, off and on again: the position counts, and the second notice is another one.
    let (_person, mut stream) = visitor(&pod).await;
    for (content, event) in [("1", "drain"), ("0", "drain-cancelled"), ("yes", "drain")] {
        switch.set(content);
        stream.next_named(event).await;
    }
    assert_eq!(pod.metric("drain_notifications_sent").await, 3.0);
}

#[tokio::test]
async fn readiness_in_maintenance_follows_the_option_from_the_start() {
    let switch = Switch::new("true");
    for (choice, at_start, counting) in [("after-drain", 503, 200), ("immediate", 503, 503), ("never", 200, 200)] {
        let options = [("MAINTENANCE_READINESS", choice), ("DRAIN_TIMEOUT", "1h")];
        let pod = pod("user-1", &switch, &options).await;
        assert_eq!(ready(&pod).await.0, at_start, "{choice} at the start");
        assert_eq!(pod.person().status("/").await, 503, "{choice}: no newcomer is admitted before the switch was read");
        assert_eq!(pod.metric("total_logins").await, 0.0);
        switch.set("false");
        serves(&pod).await;
        let (person, mut stream) = visitor(&pod).await;
        switch.set("true");
        stream.next_named("drain").await;
        assert_eq!(ready(&pod).await.0, counting, "{choice} during the countdown");
        person.post("/logout").send().await.unwrap();
        let closed = if choice == "never" { 200 } else { 503 };
        eventually(choice, || async { (ready(&pod).await.0 == closed).then_some(()) }).await;
        assert_eq!(pod.person().status("/").await, 503);
    }
}

#[tokio::test]
async fn a_signal_during_the_countdown_keeps_the_earlier_deadline_and_notifies_once_more() {
    let switch = Switch::new("false");
    let mut pod = pod("user-1", &switch, &[]).await;
    let (_person, mut stream) = visitor(&pod).await;
    switch.set("true");
    let maintenance = stream.next_named("drain").await.data;
    pod.signal(Signal::SIGTERM);
    let shutdown = stream.next_named("drain").await.data;
    assert_eq!(
        (&shutdown["reason"], &shutdown["forced_logout_at"]),
        (&"shutdown".into(), &maintenance["forced_logout_at"])
    );
    assert_eq!(pod.metric("drain_notifications_sent").await, 1.0, "the same notice");
    switch.set("false");
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced", "the switch stops no shutdown");
    assert!(pod.wait().await.success());
    assert!(!pod.drain_log().iter().any(|line| line.contains("disabled")));
}

#[tokio::test]
async fn an_unreadable_switch_keeps_its_position_and_is_logged_once() {
    let switch = Switch::new("false");
    let pod = pod("user-1", &switch, &[]).await;
    for trouble in ["", "perhaps", "truefalse"] {
        switch.set(trouble);
        pod.line("the maintenance switch cannot be read").await;
        serves(&pod).await;
    }
    switch.set("false");
    pod.line("the maintenance switch is read again").await;
    let log = pod.log().join("\n");
    assert_eq!(log.matches("the maintenance switch cannot be read").count(), 1, "{log}");
    assert!(log.contains("is empty; write true or false"), "{log}");
    std::fs::remove_file(switch.path()).unwrap();
    let (_person, mut stream) = visitor(&pod).await;
    switch.set("TRUE");
    stream.next_named("drain").await;
    std::fs::remove_file(switch.path()).unwrap();
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced", "gone is not off");
    assert_eq!(pod.person().status("/").await, 503);
    switch.set("false");
    serves(&pod).await;
}
