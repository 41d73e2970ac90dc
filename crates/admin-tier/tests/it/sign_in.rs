//! Signing in and out in browsers and from scripts: by the token, by a one-time link, and what is refused.

mod throttle;

use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use reqwest::Response;
use test_support::Person;

use crate::Admin;

const TOKEN: &str = "a-token-of-the-tests";

/// An address without a pod: these tests need none.
const PODS: [&str; 1] = ["127.0.0.1:1"];

async fn with_token() -> Admin {
    Admin::with(&PODS, &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", TOKEN)]).await
}

async fn with_links() -> Admin {
    Admin::with(&PODS, &[("ADMIN_AUTH", "token")]).await
}

/// The secret of the link that was printed last.
async fn printed(admin: &Admin) -> String {
    admin.process.line("/admin/sign-in?once=").await;
    let log = admin.process.log();
    let line = log.iter().rev().find(|line| line.contains("?once=")).unwrap();
    let port = admin.http.rsplit(':').next().unwrap();
    assert!(line.contains(&format!(" http://localhost:{port}/admin/sign-in?once=")), "{line}");
    line.split("?once=").nth(1).unwrap().trim().to_owned()
}

async fn sign_in(person: &Person, field: &str, value: &str) -> Response {
    person.post("/admin/sign-in").form(&[(field, value)]).send().await.unwrap()
}

async fn bearer(admin: &Admin, path: &str, token: &str) -> Response {
    admin.person().request(path).bearer_auth(token).send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &http::HeaderName) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_token_signs_in_and_returns_to_the_requested_page() {
    let admin = with_token().await;
    let person = admin.person();
    let led = person.get("/admin/users?q=ada&pod=user-1").await;
    assert_eq!((led.status().as_u16(), header(&led, &SET_COOKIE)), (303, ""));
    let way = header(&led, &LOCATION).to_owned();
    assert_eq!(way, "/admin/sign-in?next=%2Fadmin%2Fusers%3Fq%3Dada%26pod%3Duser-1");
    let page = person.text(&way).await;
    assert!(
        page.contains(r#"type="password""#) && page.contains(r#"value="/admin/users?q=ada&#38;pod=user-1""#),
        "{page}"
    );

    let form = [("token", TOKEN), ("next", "/admin/users?q=ada&pod=user-1")];
    let opened = person.post("/admin/sign-in").form(&form).send().await.unwrap();
    assert_eq!((opened.status().as_u16(), header(&opened, &LOCATION)), (303, form[1].1));
    let cookie = header(&opened, &SET_COOKIE);
    assert!(cookie.starts_with("lastcall-admin=") && !cookie.contains(TOKEN), "{cookie}");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    assert_eq!(person.status("/admin/api/v1/pods").await, 200);
    assert!(person.text("/admin").await.contains("Sign out"));
    assert_eq!(header(&person.get("/admin/sign-in").await, &LOCATION), "/admin", "who is in is not asked again");
    admin.process.line("an operator has signed in").await;
    assert!(!admin.process.log().join("\n").contains(TOKEN));
}

#[tokio::test]
async fn the_sign_in_never_redirects_to_another_site() {
    let admin = with_token().await;
    for next in ["https://evil.test/", "//evil.test/admin", "/\\evil.test", "/admin/sign-out"] {
        let answer = admin.person().post("/admin/sign-in").form(&[("token", TOKEN), ("next", next)]);
        assert_eq!(header(&answer.send().await.unwrap(), &LOCATION), "/admin", "{next}");
        let page = admin.person().get(&format!("/admin/sign-in?next={next}")).await;
        assert!(!page.text().await.unwrap().contains("evil.test"), "{next}");
    }
}

#[tokio::test]
async fn a_copied_cookie_is_invalid_after_the_sign_out() {
    let admin = with_token().await;
    let person = admin.person();
    let opened = sign_in(&person, "token", &format!(" {TOKEN}\n")).await;
    let kept = header(&opened, &SET_COOKIE).split(';').next().unwrap().to_owned();
    let other = admin.person();
    sign_in(&other, "token", TOKEN).await;
    let replay = async || admin.person().request("/admin/api/v1/pods").header(COOKIE, &kept).send().await.unwrap();
    assert_eq!(replay().await.status(), 200);
    assert_eq!(person.status("/admin/sign-out").await, 405, "a link ends nothing");

    let left = person.post("/admin/sign-out").send().await.unwrap();
    assert_eq!((left.status().as_u16(), header(&left, &LOCATION)), (303, "/admin/sign-in?signed_out="));
    assert!(header(&left, &SET_COOKIE).contains("Max-Age=0"), "{left:?}");
    assert!(person.text("/admin/sign-in?signed_out=").await.contains("You are signed out."));
    assert_eq!(person.status("/admin").await, 303);
    assert_eq!(replay().await.status(), 401);
    assert_eq!(other.status("/admin/api/v1/pods").await, 200, "others stay in");
}

#[tokio::test]
async fn a_link_from_the_log_signs_in_once_and_only_by_its_button() {
    let admin = with_links().await;
    let once = printed(&admin).await;
    let way = format!("/admin/sign-in?once={once}");
    // Nor does a browser that fetches ahead, or asks for the head alone.
    let ahead = admin.person().request(&way).header("sec-purpose", "prefetch;prerender").send().await.unwrap();
    assert_eq!(ahead.status(), 200);
    let client = reqwest::Client::new();
    assert_eq!(client.head(format!("http://{}{way}", admin.http)).send().await.unwrap().status(), 200);
    for _ in 0..2 {
        let page = admin.person().text(&way).await;
        assert!(page.contains(&format!(r#"name="once" value="{once}""#)), "looking uses nothing up:\n{page}");
    }
    let person = admin.person();
    assert_eq!(person.status("/admin").await, 303);
    assert_eq!(sign_in(&person, "once", &once).await.status(), 303);
    assert_eq!(person.status("/admin").await, 200);
    let again = sign_in(&admin.person(), "once", &once).await;
    assert_eq!((again.status().as_u16(), header(&again, &SET_COOKIE)), (401, ""));
    assert!(again.text().await.unwrap().contains("used already"));
    let used = admin.person().text(&way).await;
    assert!(
        used.contains("used already") && used.contains("Ask for another") && used.contains("Print a new link"),
        "{used}"
    );
    assert!(person.text(&way).await.contains("You are signed in on this browser"));
}

#[tokio::test]
async fn another_link_is_printed_on_request_but_not_within_a_minute() {
    let admin = with_links().await;
    let once = printed(&admin).await;
    let page = admin.person().text("/admin/sign-in").await;
    assert!(page.contains("Print a new link") && !page.contains("password"), "{page}");
    let asked = admin.person().post("/admin/sign-in/link").send().await.unwrap();
    assert_eq!(asked.status(), 303, "a page that renews asks for nothing");
    let page = admin.person().text(header(&asked, &LOCATION)).await;
    assert!(page.contains("less than a minute ago"), "{page}");
    // With scripts it counts down, without them it renews when another one can be had.
    let seconds = page.split("data-seconds=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    assert!((1..=60).contains(&seconds.parse::<u64>().unwrap()), "{page}");
    let renews = format!(r#"<meta http-equiv="refresh" content="{seconds}; url=/admin/sign-in?next=%2Fadmin">"#);
    assert!(page.contains(&renews), "{page}");
    assert_eq!(printed(&admin).await, once);
    assert_eq!(sign_in(&admin.person(), "once", &once).await.status(), 303, "the first one stays good");
}

#[tokio::test]
async fn scripts_authenticate_with_the_token_and_are_told_so_where_they_do_not() {
    let admin = with_token().await;
    for path in ["/admin/api/v1/pods", "/admin/api/v1/sessions", "/admin/api/v1/orphans", "/openapi.json"] {
        let refused = admin.person().get(path).await;
        assert_eq!((refused.status().as_u16(), header(&refused, &WWW_AUTHENTICATE)), (401, "Bearer"), "{path}");
        assert_eq!(header(&refused, &CONTENT_TYPE), "application/problem+json");
        assert_ne!(bearer(&admin, path, TOKEN).await.status(), 401, "{path}");
        let wrong = bearer(&admin, path, "a-token-of-the-test").await;
        assert!([401, 429].contains(&wrong.status().as_u16()), "{path}");
    }
    assert!(header(&bearer(&admin, "/admin", TOKEN).await, &SET_COOKIE).is_empty());
    let basic = admin.person().request("/admin/api/v1/pods").basic_auth("admin", Some(TOKEN)).send().await.unwrap();
    assert_eq!(basic.status(), 401);
}

#[tokio::test]
async fn without_a_token_there_is_no_bearer() {
    let admin = with_links().await;
    for token in ["", "anything"] {
        assert_eq!(bearer(&admin, "/admin/api/v1/pods", token).await.status(), 401, "{token:?}");
    }
    assert_eq!(sign_in(&admin.person(), "token", "").await.status(), 401);
}

#[tokio::test]
async fn a_token_that_can_be_guessed_is_warned_about() {
    let admin = Admin::with(&PODS, &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener")]).await;
    assert!(admin.process.log().join("\n").contains("ADMIN_TOKEN has fewer than 16 characters"));
    assert!(!with_token().await.process.log().join("\n").contains("fewer than 16 characters"));
}
