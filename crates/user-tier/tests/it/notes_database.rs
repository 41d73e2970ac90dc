//! The notes over HTTP, and in real databases: who may read and write them, and what happens when the database fails.

mod closing;
mod postgres;
mod sqlite;

use reqwest::Response;
use serde_json::{Value, json};
use test_support::{Person, UserPod};

use crate::pod;

/// The version of a text that is not stored.
const NONE: &str = "0-0";

/// Sends a save.
async fn put(person: &Person, text: &str, version: &str) -> Response {
    person.put("/notes").json(&json!({ "text": text, "version": version })).send().await.unwrap()
}

/// Saves and returns the new version.
async fn save(person: &Person, text: &str, version: &str) -> String {
    let answer = put(person, text, version).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let answer: Value = answer.json().await.unwrap();
    answer["version"].as_str().unwrap().to_owned()
}

/// The stored text.
async fn text(person: &Person) -> Value {
    let answer: Value = person.get("/notes").await.json().await.unwrap();
    answer["text"].clone()
}

/// A user of this pod with a name.
async fn user(pod: &UserPod, name: &str) -> Person {
    let person = pod.person().visit().await;
    assert_eq!(person.login(name).await.status(), 303);
    person
}

/// The lines of the pod's log about notes that cannot be saved.
fn complaints(pod: &UserPod) -> Vec<String> {
    pod.log().into_iter().filter(|line| line.contains("notes cannot be saved")).collect()
}

#[tokio::test]
async fn notes_need_a_session_and_belong_to_a_name_or_to_one_anonymous_session() {
    let pod = pod(&[]).await;
    let stranger = pod.person();
    assert_eq!(stranger.status("/notes").await, 401);
    assert_eq!(put(&stranger, "x", NONE).await.status(), 401);
    assert_eq!(pod.metric("total_logins").await, 0.0, "and start none");

    let (one, other) = (pod.person().visit().await, pod.person().visit().await);
    save(&one, "mine", NONE).await;
    assert_eq!(text(&other).await, "");
    let ada = user(&pod, "ada").await;
    let version = save(&ada, "ada's", NONE).await;
    let again = user(&pod, "ada").await;
    assert_eq!(text(&again).await, "ada's");
    let stale = put(&again, "other", NONE).await;
    assert_eq!(stale.status(), 409);
    assert_eq!(stale.headers()["cache-control"], "no-store");
    assert!(stale.headers().contains_key("content-security-policy"));
    let stale: Value = stale.json().await.unwrap();
    assert_eq!((&stale["text"], &stale["version"]), (&json!("ada's"), &json!(version)));
    // A page that was rendered for another user.
    let foreign = json!({ "user": "bob", "text": "bob's", "version": version });
    let foreign = ada.put("/notes").json(&foreign).send().await.unwrap();
    assert_eq!(foreign.status(), 409);
    assert_eq!(text(&ada).await, "ada's");
}

#[tokio::test]
async fn bad_saves_get_a_clear_error_and_change_nothing() {
    let pod = pod(&[]).await;
    let ada = user(&pod, "ada").await;
    let version = save(&ada, "kept", NONE).await;
    let limit = 128 * 1024;
    for (body, status) in [
        (json!({ "text": "x".repeat(limit + 1), "version": version }).to_string(), 413),
        ("x".repeat(limit * 7), 413),
        (json!({ "text": "a\0b", "version": version }).to_string(), 422),
        (json!({ "text": "no version" }).to_string(), 422),
        (json!({ "text": 1, "version": version }).to_string(), 422),
        (json!({ "text": "x", "version": "1; DROP TABLE notes" }).to_string(), 422),
        ("{\"text\": \"half".to_owned(), 400),
        ("{\"text\": \"\\ud800\", \"version\": \"0-0\"}".to_owned(), 400),
        ("[]".to_owned(), 400),
    ] {
        let answer = ada.put("/notes").header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(answer.status(), status);
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{problem}");
    }
    let form = ada.put("/notes").form(&[("text", "x")]).send().await.unwrap();
    assert_eq!(form.status(), 415);
    let cross = ada.put("/notes").header("sec-fetch-site", "cross-site").json(&json!({})).send().await.unwrap();
    assert_eq!(cross.status(), 403);
    assert_eq!(text(&ada).await, "kept");
    // The largest text, in characters that JSON writes as six bytes each.
    save(&ada, &"\u{1}".repeat(limit), &version).await;
}

#[tokio::test]
async fn with_a_session_for_each_tab_notes_are_under_the_tabs_path() {
    let pod = pod(&[("SESSION_SCOPE", "tab")]).await;
    let person = pod.person();
    let base = person.get("/").await.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(person.status(&base).await, 200);
    let path = format!("{base}notes");
    let answer = person.put(&path).json(&json!({ "text": "in a tab", "version": NONE })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let stored: Value = person.get(&path).await.json().await.unwrap();
    assert_eq!(stored["text"], "in a tab");
    assert_eq!(person.status("/notes").await, 401);
}
