//! The pages as an operator gets them, and what stands around every answer.

use session_wire::v1::watch_sessions_response::Event;

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};

const EVIL: &str = "<script>alert(1)</script>\"'&";

async fn admin_with_an_evil_name() -> (FakePod, Admin) {
    let mut hostile = pod("user-1", 1);
    hostile.version = EVIL.into();
    let fake = FakePod::saying([Event::Pod(hostile), snapshot([session("user-1", EVIL, 1_632)])]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(1).await;
    (fake, admin)
}

#[tokio::test]
async fn names_are_shown_and_never_run() {
    let (_fake, admin) = admin_with_an_evil_name().await;
    for path in
        ["/admin", "/admin/users", "/admin/users?q=%3Cscript%3Ealert", "/admin/users?pod=%22%3E%3Cscript%3Ealert"]
    {
        let answer = admin.person().get(path).await;
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let page = answer.text().await.unwrap();
        assert!(!page.contains("<script>alert"), "{path}:\n{page}");
    }
    let page = admin.person().text("/admin/users").await;
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "{page}");
}

#[tokio::test]
async fn the_dashboard_shows_a_row_for_each_session_and_reloads_without_scripts() {
    let (_fake, admin) = admin_with_an_evil_name().await;
    let page = admin.person().text("/admin/users").await;
    assert!(page.contains(r#"<noscript><meta http-equiv="refresh" content="5"></noscript>"#), "{page}");
    assert!(page.contains(r#"<strong id="total">1</strong>"#), "{page}");
    assert!(page.contains(">1d 3h 12m<"), "a duration does not wrap after a day:\n{page}");
    for heading in ["Session", "User", "Pod", "Signed in", "Last active", "Duration"] {
        assert!(page.contains(&format!(">{heading}")), "{heading} in\n{page}");
    }
    let lonely = admin.person().text("/admin/users?q=nobody").await;
    assert!(lonely.contains("Nothing matches among 1 session."), "{lonely}");
}

#[tokio::test]
async fn on_loopback_only_names_of_this_machine_are_answered() {
    let (_fake, admin) = admin_with_an_evil_name().await;
    for path in ["/admin", "/admin/api/v1/sessions", "/metrics"] {
        let rebound = admin.person().request(path).header("host", "rebound.evil.test").send().await.unwrap();
        assert_eq!(rebound.status(), 421, "{path}");
        let local = admin.person().request(path).header("host", "localhost:9092").send().await.unwrap();
        assert_eq!(local.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_get_a_clear_answer() {
    let (_fake, admin) = admin_with_an_evil_name().await;
    let person = admin.person();
    assert_eq!(person.status("/admin/nowhere").await, 404);
    assert_eq!(person.post("/admin/users").send().await.unwrap().status(), 405);
    let navigating = person.request("/nowhere").header("accept", "text/html").header("sec-fetch-mode", "navigate");
    let page = navigating.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("/admin/users"), "{page}");
    assert_eq!(person.get("/").await.headers()["location"], "/admin");
    for (path, status) in [("/health", "healthy"), ("/healthz", "healthy"), ("/ready", "ready"), ("/readyz", "ready")] {
        assert_eq!(admin.json(path).await["status"], status);
    }
}

#[tokio::test]
async fn unknown_values_are_not_shown_as_zero_or_as_current() {
    let (fake, admin) = admin_with_an_evil_name().await;
    let lonely = Admin::start(&["127.0.0.1:1"]).await;
    let says = |admin: &Admin, path: &'static str, what: &'static str| {
        let person = admin.person();
        async move {
            let ask = || async {
                let page = person.text(path).await;
                page.contains(what).then_some(page)
            };
            test_support::eventually(what, ask).await
        }
    };
    let never = says(&lonely, "/admin", "No pod can be reached, so the number of users is not known.").await;
    assert!(never.contains("This pod has not reported yet."), "{never}");
    assert!(!never.contains("Version") && !never.contains("<dt>Told"), "{never}");
    says(&lonely, "/admin/users", "No pod can be reached, so the number of users is not known.").await;

    drop(fake);
    let lost = says(&admin, "/admin", "Last known, ").await;
    assert!(lost.contains(r#"<div class="last-report old">"#) && lost.contains("at least 1d 3h 12m"), "{lost}");
    assert!(!lost.contains("Up for") && !lost.contains("<dt>PodEvent"), "{lost}");
    let users = says(&admin, "/admin/users", "0 of 1 pods").await;
    assert!(users.contains("at least 1d 3h 12m") && !users.contains(">idle</span>"), "{users}");
}

#[tokio::test]
async fn an_empty_list_says_why() {
    let empty = FakePod::saying([Event::Pod(pod("user-1", 0)), snapshot([])]).await;
    let admin = Admin::start(&[&empty.address]).await;
    admin.pod(&empty.address, "live", |pod| pod["reachable"] == true).await;
    let page = admin.person().text("/admin/users").await;
    assert!(page.contains("No user is here."), "{page}");
    let (_fake, admin) = admin_with_an_evil_name().await;
    let page = admin.person().text("/admin/users?state=told").await;
    assert!(page.contains(r#"Nothing matches among 1 session. <a href="/admin/users">Show all</a>"#), "{page}");
}
