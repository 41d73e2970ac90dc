//! The maintenance switch on the panel, used by keyboard and by pointer.

use std::path::PathBuf;

use session_wire::v1::watch_sessions_response::Event;
use tempfile::TempDir;
use test_support::{Browser, Key};

use super::{is_focused, open, three};
use crate::Admin;
use crate::fake_pod::{FakePod, pod};

/// The panel in a browser, with a switch in a file that says off.
struct Panel {
    file: PathBuf,
    fake: FakePod,
    admin: Admin,
    browser: Browser,
    _folder: TempDir,
}

async fn panel() -> Panel {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&file, "false").unwrap();
    let (fake, _) = three().await;
    let admin = Admin::with(&[&fake.address], &[("MAINTENANCE_FILE", file.to_str().unwrap())]).await;
    let browser = open(&admin, "/admin").await;
    Panel { file, fake, admin, browser, _folder: folder }
}

#[tokio::test]
async fn the_switch_is_moved_by_keyboard_and_keeps_the_focus() {
    let Panel { file, fake, admin, browser, .. } = &panel().await;
    for _ in 0..40 {
        browser.press(Key::Tab).await;
        if browser.focused().await == "summary" {
            break;
        }
    }
    assert_eq!(browser.focused().await, "summary");
    browser.press(Key::Enter).await;
    browser.sees("#turn-on .grave").await;
    // An update does not close what the operator has opened.
    fake.say(Event::Pod(pod("user-1", 9)));
    browser.reads(".count", "9 sessions").await;
    browser.sees("#turn-on .grave").await;
    browser.press(Key::Tab).await;
    browser.press(Key::Enter).await;
    browser.reads("#switch-heading", "Maintenance is on").await;
    is_focused(browser, "switch-heading").await;
    assert_eq!(std::fs::read_to_string(file).unwrap().trim(), "true");

    // Another operator moves it back: the page shows that without a reload, and the focus stays.
    browser.run("window.mark = 1").await;
    admin.person().post("/admin/maintenance").form(&[("enabled", "false")]).send().await.unwrap();
    browser.reads("#switch-heading", "Maintenance is off").await;
    is_focused(browser, "switch-heading").await;
    assert_eq!(browser.run("return window.mark").await, 1);
}

#[tokio::test]
async fn the_switch_does_not_change_under_the_pointer_of_an_operator_about_to_press_it() {
    let Panel { admin, browser, .. } = &panel().await;
    browser.click("#turn-on summary").await;
    browser.hover("#turn-on .grave").await;
    browser.run("document.activeElement.blur()").await;
    admin.person().post("/admin/maintenance").form(&[("enabled", "true")]).send().await.unwrap();
    browser.reads("#waiting", "waiting").await;
    assert_eq!(browser.text("#switch-heading").await, "Maintenance is off");
    browser.hover("h1").await;
    browser.reads("#switch-heading", "Maintenance is on").await;
}
