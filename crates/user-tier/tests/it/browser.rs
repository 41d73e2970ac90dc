//! The page in a real browser: somebody types, the pod goes, and nothing that they wrote is lost.

use test_support::{Browser, Signal, UserPod, eventually};

use crate::pod;

/// What the browser keeps for a user's name.
async fn kept(browser: &Browser, user: &str) -> serde_json::Value {
    browser.run(&format!("return localStorage.getItem('lastcall.notes:{user}')")).await
}

async fn sign_in(browser: &Browser, pod: &UserPod, user: &str) {
    browser.go(&pod.url("/")).await;
    browser.write("#name", user).await;
    browser.click("#name-form button").await;
    browser.reads("#user", user).await;
    browser.reads("#connection", "Live").await;
}

/// What the countdown shows.
async fn countdown(browser: &Browser) -> u64 {
    let text = browser.reads("#countdown", "s").await;
    text.strip_suffix('s').unwrap_or_else(|| panic!("{text:?}")).parse().unwrap()
}

#[tokio::test]
async fn the_banner_counts_down_truly_and_its_button_leaves() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "an unsaved thought").await;
    assert!(!browser.shows("#drain-banner").await);

    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    let message = browser.reads("#drain-message", "Server").await;
    assert_eq!(message, "Server shutting down in 60s. Please save your work and logout.");
    assert_eq!(browser.text("#drain-banner button").await, "Logout Now");
    let first = countdown(&browser).await;
    assert!(first <= 60, "{first}");
    let later = eventually("a second less", || async {
        let now = countdown(&browser).await;
        (now < first).then_some(now)
    })
    .await;
    // The page's time and the server's, asked one after the other, however long the asking takes.
    let ask = "return (await (await fetch('session')).json()).drain.remaining_ms";
    let before = countdown(&browser).await;
    let truth = browser.run(ask).await.as_u64().unwrap().div_ceil(1_000);
    let after = countdown(&browser).await;
    assert!(after <= truth && truth <= before + 1, "{before} {truth} {after} after {later}");
    let focused = browser.run("return document.activeElement.id").await;
    assert_eq!(focused, "notes", "the banner takes no focus");
    assert_eq!(browser.value("#notes").await, "an unsaved thought");

    // A page that is loaded in mid-countdown shows it before any stream is open.
    browser.go(&pod.url("/")).await;
    browser.sees("#drain-banner").await;
    assert!(countdown(&browser).await <= before);

    browser.click("#drain-banner button").await;
    browser.reads("h1", "You are signed out").await;
    assert_eq!(kept(&browser, "ada").await, serde_json::Value::Null, "leaving by hand erases the notes");
    assert_eq!(pod.metric("graceful_logouts_total").await, 1.0);
}

#[tokio::test]
async fn a_countdown_that_runs_out_leaves_by_itself_and_keeps_the_notes() {
    // Long enough that the browser leaves more than a second before the end.
    let pod = pod(&[("DRAIN_TIMEOUT", "20s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "never saved by hand").await;
    pod.signal(Signal::SIGTERM);
    browser.reads("h1", "You were signed out").await;
    assert!(browser.url().await.ends_with("/logout?reason=drain"));
    assert_eq!(kept(&browser, "ada").await, "never saved by hand");
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"auto_logout\"}").await, 1.0);
    assert_eq!(pod.metric("forced_logouts_total").await, 0.0);
}

#[tokio::test]
async fn a_forced_end_says_so_and_leaves_the_notes_on_screen() {
    let mut pod = pod(&[("AUTO_LOGOUT", "false"), ("DRAIN_TIMEOUT", "3s")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "in the middle of a sent").await;
    pod.signal(Signal::SIGTERM);
    browser.reads("#ended-message", "Time is up").await;
    assert!(!browser.shows("#drain-banner").await);
    assert_eq!(browser.value("#notes").await, "in the middle of a sent");
    assert_eq!(kept(&browser, "ada").await, "in the middle of a sent");
    assert!(pod.wait().await.success());
    // The pod is gone; what is typed on is kept as well.
    browser.write("#notes", "ence").await;
    assert_eq!(kept(&browser, "ada").await, "in the middle of a sentence");
}

#[tokio::test]
async fn notes_belong_to_a_name_and_nobody_else_sees_them() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    browser.go(&pod.url("/")).await;
    browser.write("#notes", "typed before the name").await;
    browser.write("#name", "ada").await;
    browser.click("#name-form button").await;
    browser.reads("#user", "ada").await;
    eventually("the notes to come along", || async {
        (browser.value("#notes").await == "typed before the name").then_some(())
    })
    .await;

    browser.click("#keep").await;
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;
    sign_in(&browser, &pod, "bob").await;
    assert_eq!(browser.value("#notes").await, "", "bob does not see what ada wrote");
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;

    sign_in(&browser, &pod, "ada").await;
    assert_eq!(browser.value("#notes").await, "typed before the name", "ada asked to keep them");
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;
    assert_eq!(kept(&browser, "ada").await, serde_json::Value::Null);

    // Left in a hurry: until the tab is closed the notes can be brought back.
    browser.click("#erased button").await;
    browser.reads("#erased p", "back in this browser").await;
    assert_eq!(kept(&browser, "ada").await, "typed before the name");
}

#[tokio::test]
async fn leaving_in_one_tab_leaves_the_screen_of_another_alone() {
    let pod = pod(&[("SESSION_SCOPE", "tab")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ann").await;
    browser.write("#notes", "chapter one").await;
    browser.new_tab().await;
    sign_in(&browser, &pod, "ann").await;
    assert_eq!(browser.value("#notes").await, "chapter one");
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;
    browser.switch_to(0).await;
    browser.reads("#saved", "Erased in another tab").await;
    assert_eq!(browser.value("#notes").await, "chapter one");
    browser.write("#notes", ", and on").await;
    assert_eq!(kept(&browser, "ann").await, "chapter one, and on");
}

#[tokio::test]
async fn an_answer_that_is_older_than_the_notice_does_not_take_it_back() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    // The next answer of `/session` is held until the banner stands there.
    let hold = "const fetched = window.fetch;
        window.fetch = async (...asked) => {
            const answer = await fetched(...asked);
            while (document.getElementById('drain-banner').hidden) await new Promise((next) => setTimeout(next, 20));
            document.body.dataset.late = 'yes';
            return answer;
        };
        document.dispatchEvent(new Event('visibilitychange'));
        await new Promise((next) => setTimeout(next, 500));";
    browser.run(hold).await;
    pod.signal(Signal::SIGTERM);
    eventually("the late answer", || async {
        let late = browser.run("return document.body.dataset.late ?? ''").await;
        (late == "yes").then_some(())
    })
    .await;
    browser.run("await new Promise((next) => setTimeout(next, 100))").await;
    assert!(browser.shows("#drain-banner").await);
}

#[tokio::test]
async fn a_seventh_tab_works_and_is_told_though_it_has_no_stream() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    browser.go(&pod.url("/")).await;
    browser.reads("#connection", "Live").await;
    for _ in 1..7 {
        browser.new_tab().await;
        browser.go(&pod.url("/")).await;
    }
    browser.reads("#connection", "Checking every few seconds").await;
    assert!(pod.metric("lastcall_event_streams").await <= 4.0);
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    browser.click("#drain-banner button").await;
    browser.reads("h1", "You are signed out").await;
    browser.switch_to(0).await;
    browser.reads("#ended-message", "signed out in another tab").await;
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn a_page_finds_its_way_back_to_a_pod_that_was_away() {
    let key = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");
    let mut first = pod(&[key]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &first, "ada").await;
    browser.write("#notes", "written before the crash").await;
    first.signal(Signal::SIGKILL);
    assert!(!first.wait().await.success());
    browser.reads("#connection", "Reconnecting").await;
    let address = first.http.clone();
    let _second = pod(&[key, ("HTTP_ADDR", &address)]).await;
    // Its session was lost with the pod's memory: the page says so and keeps what was written.
    browser.reads("#ended-message", "Your session has ended").await;
    assert_eq!(browser.value("#notes").await, "written before the crash");
    browser.click("#continue").await;
    browser.reads("#user", "anonymous").await;
}

#[tokio::test]
async fn on_a_phone_nothing_is_wider_than_the_screen() {
    let pod = pod(&[("DRAIN_TIMEOUT", "1h")]).await;
    let browser = Browser::open().await;
    browser.emulate(true, 360, 640).await;
    sign_in(&browser, &pod, &"W".repeat(64)).await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    let wide = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
    assert_eq!(wide, 0);
}

#[tokio::test]
async fn a_maintenance_that_is_taken_back_leaves_the_page_as_it_was_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "false").unwrap();
    let options = [("MAINTENANCE_FILE", switch.to_str().unwrap()), ("MAINTENANCE_POLL", "100ms")];
    let pod = pod(&[&options[..], &[("DRAIN_TIMEOUT", "1h")]].concat()).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "an unsaved thought").await;
    std::fs::write(&switch, "true").unwrap();
    browser.sees("#drain-banner").await;
    assert!(browser.reads("#drain-message", "Maintenance").await.starts_with("Maintenance mode activated."));
    std::fs::write(&switch, "false").unwrap();
    browser.reads("#reprieve", "you can stay").await;
    assert!(!browser.shows("#drain-banner").await && browser.shows("#reprieve").await);
    assert_eq!(browser.value("#notes").await, "an unsaved thought");
    browser.reads("#user", "ada").await;

    // Whoever comes while it is on sees the other page, and gets in by itself when it is over.
    std::fs::write(&switch, "true").unwrap();
    browser.sees("#drain-banner").await;
    assert!(!browser.shows("#reprieve").await, "one or the other");
    let newcomer = Browser::open().await;
    newcomer.go(&pod.url("/")).await;
    newcomer.reads("h1", "We'll be back soon").await;
    std::fs::write(&switch, "false").unwrap();
    browser.reads("#reprieve", "you can stay").await;
}
