//! Rainbow deployments: three revisions of real pods side by side, and the waiting that docs/operating.md describes.

use std::process::Stdio;

use serde_json::{Value, json};
use test_support::{Events, Person, Signal, UserPod, eventually};
use tokio::process::{Child, Command};

use crate::Admin;
use crate::real_pods::user_pod;

const TOKEN: &str = "the token of the operators";

/// A pod of a revision. Users are not present for long after they leave.
async fn revision(name: &str) -> UserPod {
    let options =
        [("POD_REVISION", name), ("PRESENCE_LINGER", "100ms"), ("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "0s")];
    user_pod(&format!("user-{name}"), &options).await
}

/// A user of this name with an open page.
async fn user(pod: &UserPod, name: &str) -> (Person, Events) {
    let person = pod.person().visit().await;
    person.login(name).await;
    let stream = person.events().await;
    (person, stream)
}

/// The function that the manual documents, word for word.
fn documented() -> &'static str {
    let manual = include_str!("../../../../docs/operating.md");
    let mut blocks = manual.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.find(|block| block.contains("wait_until_removable() {")).unwrap()
}

/// Starts the documented function in a POSIX shell that treats unset variables and failures as errors.
fn wait_for(admin: &Admin, revision: &str, seconds: u32, token: &str) -> Child {
    let script = format!("set -eu\n{}\nwait_until_removable {revision} {seconds}\n", documented());
    let url = format!("http://{}", admin.http);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("ADMIN_URL", url).env("ADMIN_TOKEN", token).env("INTERVAL", "0.2");
    shell.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
}

/// Its exit status and what it said.
async fn end(shell: Child) -> (Option<i32>, String) {
    let output = shell.wait_with_output().await.unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), said)
}

/// One revision as the API lists it: its pods, its present sessions, and whether it is safe to remove.
type Row = (String, u64, u64, bool);

async fn revisions(admin: &Admin) -> Vec<Row> {
    let row = |row: &Value| {
        assert_eq!(row["complete"], true, "{row}");
        let number = |field: &str| row[field].as_u64().unwrap();
        let name = row["revision"].as_str().unwrap().to_owned();
        (name, number("pods"), number("present_sessions"), row["safe_to_remove"].as_bool().unwrap())
    };
    let answer = admin.person().get("/admin/api/v1/revisions").await;
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    answer["revisions"].as_array().unwrap().iter().map(row).collect()
}

async fn are(admin: &Admin, expected: [(&str, u64, u64, bool); 3]) {
    let expected = expected.map(|(name, pods, present, safe)| (name.to_owned(), pods, present, safe));
    eventually(&format!("{expected:?}"), async || (revisions(admin).await == expected).then_some(())).await;
}

#[tokio::test]
async fn an_old_revision_is_waited_for_until_its_last_user_has_left_while_traffic_moves_on() {
    // Traffic goes to v1, before v2 and v3 are started.
    let mut v1 = revision("v1").await;
    let ((ada, mut on_v1), (bob, _bobs_page)) = (user(&v1, "ada").await, user(&v1, "bob").await);
    let (v2, v3) = (revision("v2").await, revision("v3").await);
    let pods = [&v1.grpc, &v2.grpc, &v3.grpc].map(String::as_str);
    let admin = Admin::start(&pods).await;
    let guarded = Admin::with(&pods, &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", TOKEN)]).await;
    are(&admin, [("v3", 1, 0, false), ("v2", 1, 0, true), ("v1", 1, 2, false)]).await;
    assert!(admin.person().text("/admin").await.contains("Revision <bdi>v3</bdi> <span class=\"badge\">newest</span>"));

    // Traffic is moved to v2. Pages on v1 stay open.
    let (carol, _carols_page) = user(&v2, "carol").await;
    ada.get("/logout").await;
    on_v1.next_named("session-ended").await;
    are(&admin, [("v3", 1, 0, false), ("v2", 1, 1, false), ("v1", 1, 1, false)]).await;
    let (status, said) = end(wait_for(&guarded, "v1", 0, TOKEN)).await;
    assert_eq!((status, said.as_str()), (Some(1), "revision v1 is not safe to remove after 0 s\n"));
    let (status, said) = end(wait_for(&guarded, "v1", 60, "another token")).await;
    assert!(status == Some(2) && said.contains("is ADMIN_TOKEN right?"), "{status:?} {said}");

    // A task on v2 is work in progress there, and nowhere else.
    let task = json!({ "kind": "export", "label": "Report of July" });
    let task: Value = carol.post("/tasks").json(&task).send().await.unwrap().json().await.unwrap();
    admin.pod(&v2.grpc, "the task", |pod| pod["protected"] == 1).await;
    // The session's row comes with a message of its own.
    let listed = eventually("the session of the task", || async {
        let listed = admin.json("/admin/api/v1/sessions?state=protected").await;
        (listed["total"] == 1).then_some(listed)
    })
    .await;
    let shown = &listed["sessions"][0];
    assert_eq!(shown["user"], "carol", "{listed}");
    assert_eq!((&shown["tasks"][0]["task_id"], &shown["tasks"][0]["kind"]), (&task["task_id"], &"export".into()));
    let panel = admin.person().text("/admin").await;
    assert!(panel.contains("1 pod, 1 session present, 1 session with work in progress."), "{panel}");
    let (client, request) = carol.request(&format!("/tasks/{}", task["task_id"].as_str().unwrap())).build_split();
    let mut request = request.unwrap();
    *request.method_mut() = http::Method::DELETE;
    assert_eq!(client.execute(request).await.unwrap().status(), 204);
    admin.pod(&v2.grpc, "the end of the task", |pod| pod["protected"] == 0).await;

    // Traffic is moved to v3. The script returns once the last user of v1 has left.
    let (_dora, _doras_page) = user(&v3, "dora").await;
    let mut waiting = wait_for(&guarded, "v1", 60, TOKEN);
    are(&admin, [("v3", 1, 1, false), ("v2", 1, 1, false), ("v1", 1, 1, false)]).await;
    assert!(waiting.try_wait().unwrap().is_none(), "bob is there");
    bob.get("/logout").await;
    assert_eq!(end(waiting).await, (Some(0), "revision v1 is safe to remove\n".to_owned()));
    are(&admin, [("v3", 1, 1, false), ("v2", 1, 1, false), ("v1", 1, 0, true)]).await;
    let panel = admin.person().text("/admin").await;
    assert_eq!(panel.matches("safe to remove</span>").count(), 1, "{panel}");

    // v1 is removed: nobody is asked to leave, and no other revision becomes safe by that.
    v1.signal(Signal::SIGTERM);
    assert!(v1.wait().await.success());
    assert!(v1.log().iter().any(|line| line.contains("0 active users detected")));
    are(&admin, [("v3", 1, 1, false), ("v2", 1, 1, false), ("v1", 0, 0, true)]).await;
    carol.get("/logout").await;
    are(&admin, [("v3", 1, 1, false), ("v2", 1, 0, true), ("v1", 0, 0, true)]).await;
    // A pod that cannot be heard: nothing is known of its users.
    v2.signal(Signal::SIGKILL);
    admin.pod(&v2.grpc, "the loss", |pod| pod["reachable"] == false).await;
    let (status, _) = end(wait_for(&guarded, "v2", 0, TOKEN)).await;
    assert_eq!(status, Some(1));
}
