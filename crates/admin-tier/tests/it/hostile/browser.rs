//! What pods, users, clusters and other sites send, in a real browser.

mod forged;

use serde_json::json;
use session_wire::v1::watch_sessions_response::Event;
use test_support::kubernetes::KubernetesDouble;
use test_support::{Browser, eventually};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};
use crate::real_pods::user_pod;

/// Breaks out of attributes and elements where it is not escaped, and then says so.
const EVIL: &str = "\"'><img src=x onerror=\"window.xss=1\"><b class=xss>";

/// The same, as it stands in an address.
const ENCODED: &str = "%22'%3E%3Cimg%20src=x%20onerror=%22window.xss=1%22%3E%3Cb%20class=xss%3E";

async fn open(browser: &Browser, admin: &Admin, path: &str) {
    browser.go(&format!("http://{}{path}", admin.http)).await;
    browser.sees("h1").await;
}

/// No text from users or pods has become markup of the page, or run as a script.
async fn is_unharmed(browser: &Browser, what: &str) {
    assert_eq!(browser.count(".xss, img[src='x'], [onerror]").await, 0, "{what} became part of the page");
    assert_eq!(browser.run("return window.xss ?? null").await, serde_json::Value::Null, "{what} ran");
}

/// Waits until the page shows the evil text to the letter.
async fn shows_evil(browser: &Browser, css: &str) {
    browser.reads(css, EVIL).await;
}

#[tokio::test]
async fn names_of_pods_and_users_are_shown_literally() {
    let mut hostile = pod(EVIL, 1);
    hostile.version = EVIL.into();
    let fake = FakePod::saying([Event::Pod(hostile), snapshot([session(EVIL, EVIL, 5)])]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(1).await;
    let browser = Browser::open().await;
    for path in ["/admin", "/admin/users"] {
        open(&browser, &admin, path).await;
        shows_evil(&browser, "main").await;
        is_unharmed(&browser, path).await;
    }
    shows_evil(&browser, "bdi").await;
}

#[tokio::test]
async fn names_in_updates_of_a_page_are_shown_literally() {
    let pod = user_pod("user-1", &[]).await;
    let admin = Admin::start(&[&pod.grpc]).await;
    admin.pod(&pod.grpc, "the pod", |pod| pod["reachable"] == true).await;
    let browser = Browser::open().await;
    open(&browser, &admin, "/admin/users").await;
    let person = pod.person().visit().await;
    person.login(EVIL).await;
    shows_evil(&browser, "main").await;
    is_unharmed(&browser, "a renewed page").await;
}

#[tokio::test]
async fn text_in_a_url_becomes_no_element_of_a_page() {
    let fake = FakePod::saying([Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", 5)])]).await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(1).await;
    let browser = Browser::open().await;
    for name in ["q", "pod", "user", "sort", "limit", "cursor", "state", "next"] {
        for path in ["/admin", "/admin/users", "/admin/sign-in"] {
            open(&browser, &admin, &format!("{path}?{name}={ENCODED}#{ENCODED}")).await;
            is_unharmed(&browser, name).await;
        }
    }
    open(&browser, &admin, &format!("/admin/users?q={ENCODED}")).await;
    assert_eq!(browser.value("#q").await, EVIL);
    open(&browser, &admin, &format!("/admin/{ENCODED}")).await;
    is_unharmed(&browser, "a path").await;

    let locked = Admin::with(&[&fake.address], &[("ADMIN_AUTH", "token")]).await;
    for path in ["next", "once", "signed_out"] {
        open(&browser, &locked, &format!("/admin/sign-in?{path}={ENCODED}")).await;
        is_unharmed(&browser, path).await;
    }
    open(&browser, &locked, "/admin/sign-in?next=javascript:window.xss=1").await;
    assert_eq!(browser.count("[value^='javascript:'], [href^='javascript:']").await, 0);
}

#[tokio::test]
async fn an_operators_name_from_the_proxy_is_shown_literally() {
    let options =
        [("ADMIN_AUTH", "proxy"), ("TRUSTED_USER_HEADER", "X-Forwarded-User"), ("TRUSTED_PROXIES", "127.0.0.1/32")];
    let admin = Admin::with(&["127.0.0.1:1"], &options).await;
    let browser = Browser::open().await;
    browser.sends("X-Forwarded-User", EVIL).await;
    open(&browser, &admin, "/admin").await;
    shows_evil(&browser, "header").await;
    is_unharmed(&browser, "the operator's name").await;
}

#[tokio::test]
async fn text_from_the_kubernetes_api_is_shown_and_never_run() {
    let api = KubernetesDouble::start().await;
    let metadata = json!({ "namespace": "sample-app", "name": "app-config" });
    let data = json!({ "MAINTENANCE_MODE": EVIL });
    api.put(&json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data }));
    api.put(&json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "namespace": "sample-app", "name": "s-1", "labels": { "kubernetes.io/service-name": "user-pods" },
        },
        "ports": [{ "name": "grpc", "port": 1, "protocol": "TCP" }],
        "endpoints": [{
            "addresses": ["127.0.0.1"], "conditions": { "ready": true },
            "targetRef": { "kind": "Pod", "namespace": "sample-app", "name": EVIL, "uid": "uid-1" },
        }],
    }));
    let kubeconfig = api.kubeconfig().to_str().unwrap();
    let options = [("KUBECONFIG", kubeconfig), ("MAINTENANCE_CONFIGMAP", "sample-app/app-config")];
    let admin = Admin::with(&["kubernetes://sample-app/user-pods:grpc"], &options).await;
    eventually("the pod", || async {
        let pods = admin.json("/admin/api/v1/pods").await;
        (!pods["pods"].as_array().unwrap().is_empty()).then_some(())
    })
    .await;
    let browser = Browser::open().await;
    open(&browser, &admin, "/admin").await;
    shows_evil(&browser, "main").await;
    is_unharmed(&browser, "what the cluster says").await;
}

#[tokio::test]
async fn text_in_the_switchs_file_is_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, EVIL).unwrap();
    let options = [("MAINTENANCE_FILE", switch.to_str().unwrap())];
    let admin = Admin::with(&["127.0.0.1:1"], &options).await;
    let browser = Browser::open().await;
    eventually("the doubt", || async {
        open(&browser, &admin, "/admin").await;
        browser.text("main").await.contains("This is the last known position").then_some(())
    })
    .await;
    is_unharmed(&browser, "the file").await;
}
