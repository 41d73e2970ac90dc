//! A user who writes, or reads, while pod after pod is replaced.

use serde_json::json;
use test_support::{Browser, eventually};

use super::recorder::{connected_to, count, moved, seen};
use super::{Pods, following_readiness, open_page, reload_without_chat};

/// What was typed before the drains: long enough for the text area, and the page, to scroll.
const BEFORE: &str =
    "return document.getElementById('notes').value = Array.from({ length: 60 }, (_, n) => `line ${n}\\n`).join(''),
    document.getElementById('notes').dispatchEvent(new InputEvent('input', { bubbles: true })), 0";

/// Where the user is: focus, selection, scroll positions, title.
const PLACE: &str = "const box = document.getElementById('notes');
    return [document.activeElement.id, box.selectionStart, box.selectionEnd, box.scrollTop, scrollY, document.title]";

/// The longest time without a stream that a pod forgives.
const GAP_MS: u64 = 3_000;

#[tokio::test]
async fn a_user_who_writes_notices_nothing_of_five_drains() {
    let mut pods = Pods::start(following_readiness().await, &[]).await;
    let browser = Browser::open().await;
    browser.emulate(false, 1100, 500).await;
    open_page(&browser, &pods).await;
    browser.run(BEFORE).await;
    browser.write("#chat-text", "half a sen").await;
    let start = "const box = document.getElementById('notes'); box.focus(); box.setSelectionRange(box.value.length, box.value.length);
        box.scrollTop = box.scrollHeight; scrollTo(0, 40); return box.value";
    let text = browser.run(start).await.as_str().unwrap().to_owned();
    let mut pod = browser.run("return document.getElementById('pod').textContent").await.as_str().unwrap().to_owned();
    browser.run("record.forget()").await;
    let mut logs = Vec::new();
    for drain in 0..5 {
        let settled = "return performance.now() - record.streams.at(-1).connected > 1500";
        eventually("a stream that stays", || async {
            if drain < 3 {
                browser.press("x").await;
            }
            (browser.run(settled).await == true).then_some(())
        })
        .await;
        let place = if drain == 3 {
            // From now on the user reads: some text is selected, in the middle.
            let select =
                "const box = document.getElementById('notes'); box.setSelectionRange(100, 140); box.scrollTop = 200";
            browser.run(select).await;
            Some(browser.run(PLACE).await)
        } else if drain > 3 {
            Some(browser.run(PLACE).await)
        } else {
            None
        };
        browser.run("record.seen.length = 0").await;
        let stopped = pods.replace(&pod).await;
        let next = eventually("the move", || async {
            if place.is_none() {
                browser.press("x").await;
            }
            connected_to(&browser, &pod).await
        })
        .await;
        browser.screenshot(&format!("handoff-{drain}")).await;
        if let Some(place) = place {
            assert_eq!(browser.run(PLACE).await, place, "drain {drain}");
        }
        logs.push(pods.exited(stopped).await);
        assert_ne!(next, pod);
        let shown = seen(&browser).await;
        assert!(
            shown.as_array().unwrap().iter().all(|what| what.as_str().unwrap().starts_with("scroll: ") && drain < 3),
            "drain {drain}: {shown}"
        );
        pod = next;
        assert_eq!(browser.text("#pod").await, pod);
    }
    let notes = browser.value("#notes").await;
    let typed = notes.strip_prefix(&text).unwrap_or_else(|| panic!("{notes:?} after {text:?}"));
    assert!(typed.len() > 10 && typed.chars().all(|key| key == 'x'), "{typed}");
    assert_eq!(browser.focused().await, "notes");
    assert_eq!(browser.value("#chat-text").await, "half a sen");
    assert_eq!(browser.console_errors().await, [] as [String; 0]);
    // A request of a user who writes may move the session before the pod asks.
    let [asked, moved] = [count(&browser, "moving").await, count(&browser, "moved").await];
    assert!(asked >= 1 && (asked..=5).contains(&moved), "{asked} {moved}");
    assert_eq!([count(&browser, "drain").await, count(&browser, "state").await], [0, 0]);
    let gaps = browser.run("return record.gaps()").await;
    let gaps: Vec<u64> = gaps.as_array().unwrap().iter().map(|gap| gap.as_u64().unwrap()).collect();
    assert!(gaps.len() >= 5 && gaps.iter().all(|gap| *gap < GAP_MS), "{gaps:?}");
    for log in &logs {
        assert!(!log.iter().any(|line| line.contains("Sending drain notification")), "{log:?}");
    }
    assert_eq!(pods.sum("total_logins").await, 0.0, "no session has begun since");
    assert_eq!(pods.sum("active_sessions_total").await, 1.0);
    browser.click("#chat button").await;
    browser.reads("#chat ol", "half a sen").await;
}

#[tokio::test]
async fn notes_are_saved_before_the_move_and_idle_connections_to_the_old_pod_are_used_up() {
    let mut pods = Pods::start(following_readiness().await, &[]).await;
    let browser = Browser::open().await;
    open_page(&browser, &pods).await;
    // Listeners on the document come before the page's own.
    let type_at_the_last_moment = "
        record.saves = [];
        const fetched = window.fetch;
        window.fetch = async (...request) => {
            const answer = await fetched(...request);
            if (request[1]?.method === 'PUT') record.saves.push([answer.status, record.streams.at(-1).ended === null]);
            return answer;
        };
        document.addEventListener('lastcall:moving', () => {
            const box = document.getElementById('notes');
            box.value += ' to the end';
            box.dispatchEvent(new InputEvent('input', { bubbles: true }));
        });";
    browser.run(type_at_the_last_moment).await;
    browser.write("#notes", "written").await;
    // A browser opens as many connections as it has requests at a time, and keeps them.
    let ask = "await Promise.all(Array.from({ length: 8 }, (_, n) => fetch(`/session?${n}`)))";
    browser.run(ask).await;
    let pod = browser.text("#pod").await;
    let stopped = pods.replace(&pod).await;
    let next = moved(&browser, &pod).await;
    let saves = browser.run("return record.saves").await;
    assert!(saves.as_array().unwrap().contains(&json!([200, true])), "while the stream was open: {saves}");
    pods.exited(stopped).await;
    assert_eq!(browser.text("#pod").await, next);
    assert_eq!(browser.value("#notes").await, "written to the end");
    let streams = browser.run("return record.streams.map(({ pod }) => pod)").await;
    assert!(streams.as_array().unwrap().len() <= 9, "{streams}");
    assert_eq!([count(&browser, "moving").await, count(&browser, "moved").await], [1, 1]);
    let shown = seen(&browser).await;
    let is_typing = |what: &serde_json::Value| what.as_str().unwrap().starts_with("scroll: ");
    assert!(shown.as_array().unwrap().iter().all(is_typing), "{shown}");
    assert_eq!(browser.console_errors().await, [] as [String; 0]);
}

#[tokio::test]
async fn a_page_that_goes_offline_or_into_the_cache_in_the_middle_of_a_move_goes_on_elsewhere() {
    let mut pods = Pods::start(following_readiness().await, &[]).await;
    let browser = Browser::open().await;
    open_page(&browser, &pods).await;
    reload_without_chat(&browser).await;
    browser.write("#notes", "written").await;
    browser.reads("#saved", "Saved").await;
    let id = browser.run("return (await (await fetch('/session')).json()).session_id").await;
    let wait = "addEventListener('lastcall:moving', (event) => event.waitUntil(new Promise((go) => (window.go = go))))";
    browser.run(wait).await;
    let asked = "return typeof window.go === 'function'";
    let pod = browser.text("#pod").await;
    let stopped = pods.replace(&pod).await;
    eventually("the question", || async { (browser.run(asked).await == true).then_some(()) }).await;
    browser.offline(true).await;
    browser.run("go()").await;
    browser.reads("#connection", "Reconnecting").await;
    browser.offline(false).await;
    browser.reads("#connection", "Live").await;
    let second = eventually("another pod", || connected_to(&browser, &pod)).await;
    pods.exited(stopped).await;

    let stopped = pods.replace(&second).await;
    browser.go("data:text/plain,elsewhere").await;
    pods.exited(stopped).await;
    browser.back().await;
    browser.reads("#connection", "Live").await;
    assert_ne!(browser.text("#pod").await, second);
    assert_eq!(browser.value("#notes").await, "written");
    assert_eq!(browser.run("return (await (await fetch('/session')).json()).session_id").await, id);
}
