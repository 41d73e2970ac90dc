//! What only the processes of the pod may ask for: a drain, and tasks of any session.

use super::*;

#[tokio::test]
async fn pages_proxies_and_other_hosts_begin_no_drain() {
    let (pod, probes) = pod(&[]).await;
    let json = ("content-type", "application/json");
    for fields in [
        [json, ("origin", "null")],
        [json, ("sec-fetch-site", "none")],
        [json, ("x-forwarded-for", "127.0.0.1")],
        [json, ("host", "evil.example")],
        [("content-type", "text/plain"), ("accept", "*/*")],
        [("accept", "*/*"), ("accept", "*/*")],
    ] {
        for (method, path) in [(Method::POST, "/drain"), (Method::POST, "/tasks"), (Method::DELETE, "/tasks/1")] {
            let request = CLIENT.request(method, format!("http://{probes}{path}")).body("{}");
            let request = fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} {fields:?}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
        }
    }
    assert_eq!(ask(Method::GET, format!("http://{probes}/drain"), "").await.status(), 405);
    assert_eq!((status(&probes, "/ready").await, pod.drain_log().len()), (200, 0));
    // The listener of pages has no such path.
    assert_eq!(drain(&pod.http).await.status(), 404);
}

#[tokio::test]
async fn the_apps_server_side_protects_the_work_of_any_session() {
    let (mut pod, probes) = pod(&[("DRAIN_TIMEOUT", "1s"), ("TASK_GRACE", "60s")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let session = person.session().await["session_id"].as_str().unwrap().to_owned();
    let tasks = format!("http://{probes}/tasks");
    let of_session = format!(r#"{{"session_id": "{session}", "kind": "report", "progress": 0.5}}"#);

    let begun = ask(Method::POST, tasks.clone(), &of_session).await;
    assert_eq!(begun.status(), 201);
    let location = begun.headers()["location"].to_str().unwrap().to_owned();
    let task: Value = begun.json().await.unwrap();
    assert_eq!(
        (task["kind"].as_str(), location),
        (Some("report"), format!("/tasks/{}", task["task_id"].as_str().unwrap()))
    );
    let path = format!("{tasks}/{}", task["task_id"].as_str().unwrap());
    let renewed = ask(Method::PUT, path.clone(), &of_session).await;
    assert_eq!(renewed.status(), 200);
    assert_eq!(renewed.json::<Value>().await.unwrap()["progress"], 0.5);

    let nobody = r#"{"session_id": "6a2f41a3-c54c-4c55-8a0a-1f1d5f3f0e11"}"#;
    for (method, url, body, expected) in [
        (Method::POST, &tasks, nobody, 404),
        (Method::PUT, &path, nobody, 404),
        (Method::DELETE, &path, nobody, 204),
        (Method::POST, &tasks, "{}", 422),
        (Method::POST, &tasks, r#"{"session_id": "ada"}"#, 422),
        (Method::POST, &tasks, r#"{"session_id": 5}"#, 422),
        (Method::PUT, &path, "{}", 422),
        (Method::DELETE, &path, "", 422),
        (Method::POST, &tasks, "nonsense", 422),
    ] {
        assert_eq!(ask(method.clone(), url.clone(), body).await.status(), expected, "{method} {body}");
    }
    let long = format!(r#"{{"session_id": "{session}", "lease_seconds": 3601}}"#);
    assert_eq!(ask(Method::POST, tasks.clone(), &long).await.status(), 422);
    assert_eq!(pod.metric("lastcall_tasks_active").await, 1.0, "another session's caller has ended none");

    assert_eq!(drain(&probes).await.status(), 202);
    assert_eq!(stream.next_named("drain").await.data["protected"], true);
    pod.line("Waiting up to 60s for 1 session with work in progress...").await;
    for _ in 0..2 {
        assert_eq!(ask(Method::DELETE, path.clone(), &of_session).await.status(), 204);
    }
    assert_eq!(wait_for_drain(&probes).await.0, 200);
    // No work begins any more.
    assert_eq!(ask(Method::POST, tasks, &of_session).await.status(), 404);
    pod.signal(test_support::Signal::SIGTERM);
    assert_eq!(pod.wait().await.code(), Some(0));
}

#[tokio::test]
async fn a_session_that_a_login_renamed_is_told_apart_from_one_that_has_ended() {
    let (pod, probes) = pod(&[]).await;
    let person = pod.person().visit().await;
    let old = person.session().await["session_id"].as_str().unwrap().to_owned();
    person.login("ada").await;
    let body = format!(r#"{{"session_id": "{old}"}}"#);
    for (method, path) in [(Method::POST, "/tasks"), (Method::PUT, "/tasks/1"), (Method::DELETE, "/tasks/1")] {
        assert_eq!(ask(method, format!("http://{probes}{path}"), &body).await.status(), 409, "{path}");
    }
}
