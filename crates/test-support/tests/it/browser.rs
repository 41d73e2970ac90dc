//! Whether the browser does what its methods promise, on small pages of our own.

use test_support::{Browser, Key, Signal, Site, eventually};

const FORM: &str = "<!doctype html><html lang=en><title>Form</title><main><h1>Form</h1>
    <label>First <input id=first></label> <label>Second <input id=second></label>
    <p id=seen></p><p id=hovered>Here</p></main>
    <script>
        document.addEventListener('keydown', ({ key, shiftKey }) => { seen.textContent += `${key}${shiftKey ? '+' : ''} `; });
        hovered.addEventListener('pointerenter', () => { hovered.textContent = 'There'; });
    </script>";

const FAULTY: &str = "<!doctype html><html><title>Faulty</title><main><h1>Faulty</h1>
    <p style='color:#bbb;background:#fff'>Hardly to be read</p><img src='x'></main>";

const FACTS: &str = "<!doctype html><html lang=en><title>Facts</title><main><h1 id=script>off</h1>
    <script>document.getElementById('script').textContent = `on ${window.planted ?? ''}`;</script></main>";

#[tokio::test]
async fn keys_go_to_the_focused_element_and_modifiers_are_held() {
    let site = Site::with(&[("/", FORM), ("/other", FACTS)]).await;
    let browser = Browser::open().await;
    browser.go(&site.url("/")).await;
    browser.press("/").await;
    browser.press(Key::Tab + "ab" + Key::Tab + "c").await;
    browser.press(Key::Shift + Key::Tab).await;
    assert_eq!(browser.focused().await, "first");
    assert_eq!((browser.value("#first").await, browser.value("#second").await), ("ab".to_owned(), "c".to_owned()));
    browser.press(Key::Escape + Key::Down).await;
    assert_eq!(browser.text("#seen").await, "/ Tab a b Tab c Shift+ Tab+ Escape ArrowDown");
    browser.hover("#hovered").await;
    browser.reads("#hovered", "There").await;

    browser.new_tab().await;
    browser.go(&site.url("/other")).await;
    assert_eq!((browser.tabs().await, browser.title().await), (2, "Facts".to_owned()));
    browser.close_tab().await;
    assert_eq!((browser.tabs().await, browser.title().await), (1, "Form".to_owned()));
    browser.go(&site.url("/other")).await;
    browser.back().await;
    browser.reads("h1", "Form").await;
    browser.forward().await;
    browser.reads("h1", "on").await;
}

#[tokio::test]
async fn axe_names_the_violations_of_a_page_and_passes_a_page_without_any() {
    let site = Site::with(&[("/good", FACTS), ("/faulty", FAULTY)]).await;
    let browser = Browser::open().await;
    browser.go(&site.url("/good")).await;
    browser.passes_axe().await;
    browser.go(&site.url("/faulty")).await;
    let violations = browser.violations().await;
    for rule in ["color-contrast", "image-alt", "html-has-lang"] {
        assert!(violations.contains(&format!("- {rule}: ")), "{rule} in\n{violations}");
    }
}

#[tokio::test]
async fn the_page_sees_what_is_emulated() {
    let site = Site::with(&[("/", FACTS)]).await;
    let browser = Browser::open().await;
    browser.before_each_page("window.planted = 'and planted'").await;
    browser.languages("de-DE").await;
    browser.time_zone("Asia/Tokyo").await;
    browser.reduced_motion(true).await;
    browser.emulate(true, 390, 844).await;
    browser.go(&site.url("/")).await;
    browser.reads("h1", "on and planted").await;
    let facts = browser
        .run(
            "const media = (feature) => matchMedia(feature).matches;
             return [navigator.language, new Intl.NumberFormat().format(1.5), new Date(0).getHours(), innerWidth > 0,
                 media('(prefers-reduced-motion: reduce)'), media('(prefers-color-scheme: dark)')]",
        )
        .await;
    assert_eq!(facts, serde_json::json!(["de-DE", "1,5", 9, true, true, true]));
    browser.scripts(false).await;
    browser.reload().await;
    assert_eq!(browser.text("h1").await, "off");
    browser.scripts(true).await;
    browser.reload().await;
    browser.reads("h1", "on").await;
}

#[tokio::test]
async fn files_are_downloaded_screenshots_are_saved_and_pages_can_be_stopped() {
    let link =
        "<!doctype html><html lang=en><title>x</title><a id=get download=list.csv href='data:text/csv,a,b'>Get</a>
        <p id=ticks>0</p><script>setInterval(() => { ticks.textContent++; }, 10)</script>";
    let site = Site::with(&[("/", link)]).await;
    let browser = Browser::open().await;
    browser.go(&site.url("/")).await;
    browser.click("#get").await;
    assert_eq!(std::fs::read_to_string(browser.downloaded("list.csv").await).unwrap(), "a,b");
    let picture = std::fs::read(browser.screenshot("test-support").await).unwrap();
    assert!(picture.starts_with(b"\x89PNG"), "{} bytes", picture.len());

    assert!(!browser.renderers().is_empty());
    browser.signal_renderers(Signal::SIGSTOP);
    // Whether a process is stopped is seen from outside: nothing within answers.
    for id in browser.renderers() {
        eventually("a stopped process", || async { (state(id) == "T").then_some(()) }).await;
    }
    browser.signal_renderers(Signal::SIGCONT);
    let before: u64 = browser.text("#ticks").await.parse().unwrap();
    eventually("going on", || async { (browser.text("#ticks").await.parse::<u64>().ok()? > before).then_some(()) })
        .await;
}

fn state(id: u32) -> String {
    let asked = std::process::Command::new("ps").args(["-o", "state=", "-p", &id.to_string()]).output().unwrap();
    String::from_utf8_lossy(&asked.stdout).trim().chars().take(1).collect()
}
