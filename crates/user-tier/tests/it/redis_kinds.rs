//! Redis with users and passwords, in a numbered database, over TLS, and as a cluster.

use std::process::Command;

use test_support::{Person, Redis, Signal, UserPod, eventually, free_port};

use crate::{BINARY, QUICK};

const KEY: (&str, &str) = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");

async fn pod(name: &str, options: &[(&str, &str)]) -> UserPod {
    UserPod::start(BINARY, name, &[&QUICK, &[KEY][..], options].concat()).await
}

/// A user signs in on one pod and continues on the other.
async fn goes_on_elsewhere(first: &UserPod, second: &UserPod) -> Person {
    for pod in [first, second] {
        eventually("the store", || async { (pod.metric("lastcall_store_up").await == 1.0).then_some(()) }).await;
    }
    let person = first.person().visit().await;
    person.login("ada").await;
    let there = person.at(&second.http);
    assert_eq!(there.session().await["user"], "ada");
    there
}

#[tokio::test]
async fn user_password_and_database_of_the_url_are_used_and_never_shown() {
    let acl = "--user ada on >hunter2-secret ~* &* +@all --user default off";
    let redis = Redis::with(&acl.split(' ').collect::<Vec<_>>()).await;
    let url = format!("redis://ada:hunter2-secret@127.0.0.1:{}/3", redis.port());
    let options = [("REDIS_URL", url.as_str()), ("RUST_LOG", "debug")];
    let (first, second) = (pod("user-1", &options).await, pod("user-2", &options).await);
    let there = goes_on_elsewhere(&first, &second).await;
    assert_eq!(there.post("/logout").send().await.unwrap().status(), 200);
    for pod in [&first, &second] {
        let log = pod.log().join("\n");
        assert!(!log.contains("hunter2"), "{log}");
    }
}

#[tokio::test]
async fn tls_works_and_an_unknown_authority_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ])
        .output()
        .unwrap_or_else(|error| panic!("openssl: {error}; cargo xtask test installs it"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let port = free_port().to_string();
    let tls = [
        ["--tls-port", &port],
        ["--tls-cert-file", &certificate],
        ["--tls-key-file", &key],
        ["--tls-ca-cert-file", &certificate],
        ["--tls-auth-clients", "no"],
    ];
    let _redis = Redis::with(tls.as_flattened()).await;
    let url = format!("rediss://localhost:{port}");
    let trusting = [("REDIS_URL", url.as_str()), ("SSL_CERT_FILE", certificate.as_str())];
    goes_on_elsewhere(&pod("user-1", &trusting).await, &pod("user-2", &trusting).await).await;

    let wary = pod("user-3", &[("REDIS_URL", &url)]).await;
    let line = wary.line("the session store is unavailable").await;
    assert!(line.to_lowercase().contains("certificate"), "{line}");
}

#[tokio::test]
async fn a_cluster_of_three_keeps_sessions_and_moves_them() {
    let (nodes, url) = Redis::cluster(&[]).await;
    let options = [("REDIS_URL", url.as_str()), ("SESSION_KEY", "shared")];
    let first = UserPod::start(BINARY, "user-1", &[&QUICK, &options[..]].concat()).await;
    let second = UserPod::start(BINARY, "user-2", &[&QUICK, &options[..]].concat()).await;
    let mut people = Vec::new();
    for _ in 0..12 {
        people.push(goes_on_elsewhere(&first, &second).await);
    }
    eventually("all to be adopted", || async {
        (second.metric("lastcall_sessions_adopted_total").await == 12.0).then_some(())
    })
    .await;
    let mut kept = Vec::new();
    for node in &nodes {
        kept.push(node.keys("session:*").await.len());
    }
    assert_eq!(kept.iter().sum::<usize>(), 12, "{kept:?}");
    assert!(kept.iter().filter(|count| **count > 0).count() > 1, "all on one node: {kept:?}");
    for person in people {
        assert_eq!(person.post("/logout").send().await.unwrap().status(), 200);
    }
    for node in &nodes {
        assert!(node.keys("session:*").await.is_empty());
    }
}

#[tokio::test]
async fn a_cluster_node_that_hangs_delays_only_its_own_sessions() {
    let (nodes, url) = Redis::cluster(&["--cluster-node-timeout", "60000"]).await;
    let pod = pod("user-1", &[("REDIS_URL", &url)]).await;
    eventually("the store", || async { (pod.metric("lastcall_store_up").await == 1.0).then_some(()) }).await;
    // The pod's lease and the epoch are on other nodes, so the pod can renew its lease.
    let mut hung = None;
    for node in &nodes {
        let needed = [node.keys("lastcall:pod:*").await, node.keys("lastcall:epoch").await].concat();
        if needed.is_empty() {
            hung = Some(node);
        }
    }
    let Some(hung) = hung else { panic!("two keys on three nodes") };
    hung.signal(Signal::SIGSTOP);
    let mut ids = Vec::new();
    let mut people = Vec::new();
    for _ in 0..12 {
        let person = pod.person().visit().await;
        ids.push(person.session().await["session_id"].as_str().unwrap().to_owned());
        people.push(person);
    }
    let healthy: Vec<_> = nodes.iter().filter(|node| node.port() != hung.port()).collect();
    let kept = || async {
        let mut kept = Vec::new();
        for node in &healthy {
            kept.extend(node.keys("session:*").await);
        }
        kept
    };
    pod.line("a part of the session store is unavailable").await;
    eventually("the other nodes to have theirs", || async { (kept().await.len() >= 4).then_some(()) }).await;
    hung.signal(Signal::SIGCONT);
    eventually("every session to be written", || async {
        let all = kept().await.len() + hung.keys("session:*").await.len();
        (all == ids.len()).then_some(())
    })
    .await;
    pod.line("all parts of the session store are available again").await;
    let log = pod.log().join("\n");
    assert_eq!(log.matches("a part of the session store is unavailable").count(), 1, "{log}");
    for person in people {
        assert_eq!(person.status("/session").await, 200);
    }
}
