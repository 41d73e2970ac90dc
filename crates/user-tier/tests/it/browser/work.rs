//! Uploads and exports in a drain, as their user sees them.

use std::io::Write as _;

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use test_support::{Browser, Signal, UserPod, eventually};

use super::sign_in;
use crate::pod;

/// The rate of a throttled upload, in bytes a second.
const SLOW: u32 = 40_000;

/// A file on the user's machine, and its SHA-256.
fn file(bytes: usize) -> (NamedTempFile, String) {
    let content: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(bytes).collect();
    let mut file = tempfile::Builder::new().prefix("minutes-").suffix(".pdf").tempfile().unwrap();
    file.write_all(&content).unwrap();
    (file, format!("{:x}", Sha256::digest(&content)))
}

async fn choose(browser: &Browser, file: &NamedTempFile) {
    browser.write("#upload-file", file.path().to_str().unwrap()).await;
}

/// Begins an export of 15 s.
async fn begin_export(browser: &Browser) {
    browser.run("document.getElementById('rounds').value = '60000'").await;
    browser.click("#export button").await;
    browser.reads("#export-hint", "Sealing your notes").await;
}

/// Begins a slow upload, and waits until the pod knows that it moves.
async fn begin_upload(browser: &Browser, pod: &UserPod) -> (NamedTempFile, String) {
    let (file, sha256) = file(2_000_000);
    browser.limit_uploads(Some(SLOW)).await;
    choose(browser, &file).await;
    let protected = || async { (pod.metric("lastcall_sessions_protected").await == 1.0).then_some(()) };
    eventually("a protected session", protected).await;
    (file, sha256)
}

#[tokio::test]
async fn an_upload_and_an_export_are_finished_before_the_page_is_signed_out() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "3s"), ("TASK_GRACE", "10m"), ("PROPAGATION_WAIT", "3s")]).await;
    let idle = pod.person().visit().await;
    let mut idle_events = idle.events().await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "Minutes of Friday").await;
    // The export goes on while its page is reloaded.
    begin_export(&browser).await;
    browser.reload().await;
    browser.reads("#export-hint", "Sealing your notes").await;
    let (_file, sha256) = begin_upload(&browser, &pod).await;
    pod.signal(Signal::SIGTERM);
    browser.reads("#drain-until", "Export, Upload still running: they will be finished.").await;
    for (name, width, height) in [("", 1100, 800), ("-phone", 390, 780), ("-zoomed", 320, 256)] {
        browser.emulate(false, width, height).await;
        let show = "document.activeElement.blur();
            document.getElementById('upload-title').scrollIntoView();
            await Promise.all(document.getAnimations().map((animation) => animation.finished))";
        browser.run(show).await;
        browser.screenshot(&format!("user-work{name}")).await;
    }
    let height = browser.run("return document.getElementById('drain-banner').offsetHeight").await;
    assert!(height.as_u64().unwrap() <= 256 / 5, "at 400 % zoom: {height}");
    browser.reads("#drain-short", " running.").await;
    browser.emulate(false, 1100, 800).await;

    assert_eq!(idle_events.next_named("session-ended").await.data["reason"], "forced", "the deadline");
    assert!(browser.shows("#drain-banner").await && !browser.shows("#drain-over").await, "the session goes on");
    browser.reads("#export-hint", "Done.").await;
    let until = "Upload still running: it will be finished. You will be signed out afterwards, at ";
    browser.reads("#drain-until", until).await;
    browser.limit_uploads(None).await;
    let said = browser.reads("#uploads li", "Finished").await;
    assert!(said.contains("the server has received all 2 MB") && said.contains(&sha256), "{said}");
    browser.reads("#ended-message", "Time is up: you were signed out, as announced.").await;
    assert!(pod.wait().await.success());

    // The page has the file, though the pod is gone.
    browser.click("#export a").await;
    let exported = std::fs::read_to_string(browser.downloaded("notes.txt").await).unwrap();
    assert!(exported.starts_with("Notes of ada, ") && exported.contains("\n\nMinutes of Friday\n\n"), "{exported}");
}

#[tokio::test]
async fn without_a_grace_work_is_cut_off_at_the_deadline_and_the_page_says_so() {
    let pod = pod(&[("DRAIN_TIMEOUT", "3s"), ("TASK_GRACE", "0s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    let _upload = begin_upload(&browser, &pod).await;
    begin_export(&browser).await;
    pod.signal(Signal::SIGTERM);
    browser.reads("#drain-until", "Upload, Export still running: what is not done when the time is over").await;
    browser.reads("#ended-message", "Time is up").await;
    browser
        .reads("#uploads li", "Cut off: the server ended before it was complete. Sign in again and repeat it.")
        .await;
    browser.reads("#export-hint", "The export was not finished").await;
    assert_eq!(pod.metric("lastcall_requests_cut_total").await, 1.0);
    assert_eq!(pod.metric("forced_logouts_total").await, 1.0);
    browser.screenshot("user-work-cut").await;
}

#[tokio::test]
async fn an_upload_that_stalls_or_fails_and_an_export_that_is_lost_say_why_and_can_be_repeated() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    // The answer of a pod to which the session has moved: the export is not there.
    begin_export(&browser).await;
    let elsewhere = "const fetched = window.fetch; window.fetch = (url, ...options) =>
        String(url).endsWith('/exports') ? Promise.resolve(Response.json({ exports: [] })) : fetched(url, ...options)";
    browser.run(elsewhere).await;
    browser.reads("#export-hint", "The export was not collected: your session goes on at another server.").await;

    let ((first, sha256), (second, _)) = (file(300_000), file(1_000));
    browser.limit_uploads(Some(1)).await;
    choose(&browser, &first).await;
    choose(&browser, &second).await;
    browser.reads("#uploads li:first-child", "Waiting for the upload before it.").await;
    // Ten seconds pass on a fake clock.
    browser.run("const now = performance.now.bind(performance); performance.now = () => now() * 10_000").await;
    browser.reads("#uploads li:last-child", "Stalled: nothing was sent for ten seconds.").await;
    browser.click("#uploads li:last-child button").await;
    browser.limit_uploads(None).await;
    browser.reads("#uploads li:last-child", &sha256).await;
    browser.reads("#uploads li:first-child", "Finished: the server has received all 1 kB.").await;

    let huge = tempfile::Builder::new().suffix(".iso").tempfile().unwrap();
    huge.as_file().set_len(5_000_000_001).unwrap();
    choose(&browser, &huge).await;
    browser.reads("#uploads li:first-child", "Too large: a file may have up to 5 GB. Nothing was sent.").await;
    browser.passes_axe().await;

    browser.run("await fetch('logout', { method: 'POST' })").await;
    browser.reads("#ended-message", "signed out").await;
    choose(&browser, &second).await;
    browser.reads("#uploads li:first-child", "Not sent: you are signed out. Sign in again and repeat it.").await;
}
