//! Apps that fill the window, with a button in each of its corners: all of them can be clicked while the banner is shown.

use serde_json::json;
use test_support::{Browser, Key};

use super::front::Front;
use super::sees;

/// The layouts of such apps, each with its style. The app is `#app`, its bars are `header` and `footer`.
const LAYOUTS: [(&str, &str); 9] = [
    ("fixed", "#app { position: fixed; inset: 0 }"),
    (
        "absolute",
        "html, body { height: 100% } body { overflow: hidden; transform: scale(1) } #app { position: absolute; inset: 0 }",
    ),
    ("layers", "header, footer { position: absolute; inset-inline: 0 } header { top: 0 } footer { bottom: 0 }"),
    ("flow", "body { overflow: hidden } #app { height: 100vh }"),
    ("exact", "#app { height: 100dvh }"),
    (
        "nested",
        "body { overflow: hidden } #app, main { height: 100vh } #app { display: block } main { min-height: 100vh; overflow: hidden }",
    ),
    ("rows", "body { display: grid; height: 100vh } #app { height: 100% }"),
    ("percent", "html, body, #app { height: 100%; overflow: hidden }"),
    (
        "bars",
        "#app { height: 300vh } header, footer { position: fixed; inset-inline: 0 } header { top: 0 } footer { bottom: 0 }",
    ),
];

/// The page of a layout; from right to left where its name says so.
pub(super) fn page(name: &str) -> String {
    let (direction, name) = name.strip_prefix("rtl-").map_or(("ltr", name), |name| ("rtl", name));
    let (_, style) = LAYOUTS.iter().find(|(layout, _)| *layout == name).unwrap();
    format!(
        "<!doctype html><html lang=en dir={direction}><head><title>{name}</title><meta name=viewport content='width=device-width'><style>
         body {{ margin: 0 }} #app, main {{ display: flex; flex-direction: column; justify-content: space-between }} main {{ flex: 1 }}
         header, footer {{ display: flex; justify-content: space-between; background: #ddd }} {style}</style></head>
         <body><div id=app><main><header><button id=menu>Menu</button><button id=save>Save</button></header>
         <h1>{name}</h1><footer><button id=status>Status</button><button id=send>Send</button></footer></main></div>
         <script>window.clicked = []; onclick = (event) => clicked.push(event.target.id)</script></body></html>"
    )
}

const BUTTONS: [&str; 4] = ["menu", "save", "status", "send"];

/// A part of the banner, by id.
const PART: &str = "const shadowRoot = document.querySelector('lastcall-banner')?.shadowRoot;
    if (!shadowRoot) return null;
    const part = (id) => shadowRoot.getElementById(id);";

/// Where a click would meet it: whether the countdown and the button that signs out are in the window and on top.
const AT_HAND: &str = "return ['countdown', 'leave-now'].map((id) => {
        const { left, top, right, bottom } = part(id).getBoundingClientRect();
        return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth
            && shadowRoot.elementFromPoint((left + right) / 2, (top + bottom) / 2) === part(id);
    })";

async fn is_at_hand(browser: &Browser, what: &str) {
    sees(browser, what, &format!("{PART} {AT_HAND}"), json!([true, true])).await;
}

/// Clicks each button with the pointer. A click on what the banner covers fails.
async fn clicks_all(browser: &Browser) {
    browser.run("clicked.length = 0").await;
    for id in BUTTONS {
        browser.click(&format!("#{id}")).await;
    }
    assert_eq!(browser.run("return clicked").await, json!(BUTTONS));
}

#[tokio::test]
async fn every_corner_of_an_app_that_fills_the_window_can_be_clicked_under_a_notice() {
    let front = Front::start(true).await;
    let browser = Browser::open().await;
    browser.go(&front.url("/window/fixed")).await;
    sees(&browser, "a stream", "return document.querySelector('lastcall-banner') !== null", json!(true)).await;
    front.notify();
    for (width, height) in [(1100, 800), (320, 560)] {
        browser.emulate(false, width, height).await;
        for name in LAYOUTS.map(|(name, _)| name).into_iter().chain(["rtl-fixed"]) {
            browser.go(&front.url(&format!("/window/{name}"))).await;
            is_at_hand(&browser, name).await;
            clicks_all(&browser).await;
            is_at_hand(&browser, name).await;
            browser.screenshot(&format!("window-{name}-{width}")).await;
        }
    }
    // An open dialog makes everything around it inert.
    let open = "const dialog = document.createElement('dialog');
        const close = Object.assign(document.createElement('button'), { id: 'close', textContent: 'Close', onclick: () => dialog.remove() });
        dialog.append(close);
        document.body.append(dialog);
        dialog.showModal()";
    browser.run(open).await;
    is_at_hand(&browser, "the banner of a page with an open dialog").await;
    browser.click("#close").await;
    is_at_hand(&browser, "the banner of a page whose dialog has gone").await;
    clicks_all(&browser).await;
    browser.passes_axe().await;
}

/// What the banner is called that the keyboard is at, and whether it is small: its text is not shown.
const FOCUSED: &str = "return [shadowRoot.activeElement?.ariaLabel, !part('drain-message').checkVisibility()]";

#[tokio::test]
async fn the_banner_is_moved_and_folded_by_keyboard_and_stays_so_when_the_page_is_loaded_again() {
    let front = Front::start(true).await;
    let browser = Browser::open().await;
    browser.go(&front.url("/window/flow")).await;
    sees(&browser, "a stream", "return document.querySelector('lastcall-banner') !== null", json!(true)).await;
    front.notify();
    is_at_hand(&browser, "the banner").await;
    let count = format!(
        "{PART} window.said = 0; new MutationObserver(() => (said += 1)).observe(part('announcer'), {{ childList: true }})"
    );
    browser.run(&count).await;
    browser.run(&format!("{PART} part('leave-now').focus()")).await;
    let focused = format!("{PART} {FOCUSED}");
    browser.press(Key::Tab).await;
    assert_eq!(browser.run(&focused).await, json!(["Move to the top", false]));
    browser.press(Key::Enter).await;
    assert_eq!(browser.run(&focused).await, json!(["Move to the bottom", false]));
    browser.press(Key::Tab).await;
    assert_eq!(browser.run(&focused).await, json!(["Make smaller", false]));
    browser.press(Key::Enter).await;
    assert_eq!(browser.run(&focused).await, json!(["Show more", true]));
    is_at_hand(&browser, "the small banner").await;
    browser.passes_axe().await;
    browser.screenshot("window-folded").await;
    assert_eq!(browser.run("return said").await, 0, "moving and folding are not announced");
    clicks_all(&browser).await;

    browser.reload().await;
    is_at_hand(&browser, "the small banner of the page that was loaded again").await;
    let place = format!(
        "{PART} return [part('drain-banner').getBoundingClientRect().top, part('drain-message').checkVisibility()]"
    );
    sees(&browser, "its place", &place, json!([0, false])).await;
    // Signing out gives the page its room back.
    browser
        .run(&format!("{PART} part('drain-fold').click(); part('drain-move').click(); part('leave-now').click()"))
        .await;
    let over = format!("{PART} part('drain-hide').click(); return part('drain-over').checkVisibility()");
    sees(&browser, "the end", &format!("{PART} return part('drain-over').checkVisibility()"), json!(true)).await;
    browser.run(&over).await;
    let size = "const box = document.getElementById('app').getBoundingClientRect(); return [box.top, box.bottom === innerHeight]";
    sees(&browser, "the page as it was", size, json!([0, true])).await;
    assert_eq!(browser.run("return document.adoptedStyleSheets.length").await, 0);
}
