//! A Kubernetes API that fails removes no pod.

use std::time::Instant;

use test_support::kubernetes::{Fault, KubernetesDouble};

use super::{admin, count, holding, list, log_lines, pods, ready};

/// How the API fails.
#[derive(Clone, Copy, Debug)]
enum Outage {
    Refuses,
    TurnsAway,
    Fails(Fault),
}

/// An outage removes no pod, and a pod that comes meanwhile is found after it.
async fn check_outage(outage: Outage) {
    let mut api = KubernetesDouble::start().await;
    let (first, second) = (holding("user-1", "ada").await, holding("user-2", "bob").await);
    list(&api, "s-1", "user-1", &first, &ready());
    let admin = admin(&api).await;
    admin.sessions(1).await;
    let (asked, began) = (api.asked_anything() + api.connections(), Instant::now());
    match outage {
        Outage::Refuses => api.stop().await,
        Outage::TurnsAway => api.reject_connections(true),
        Outage::Fails(fault) => {
            api.fault_all(fault);
            api.cut_watches();
        }
    }
    let away = pods(&admin, "the trouble", |pods| pods["discovery_error"].is_string()).await;
    list(&api, "s-2", "user-2", &second, &ready());
    // The pod is in every answer of the admin tier.
    let mut answers = 0;
    while answers < 20 || began.elapsed().as_secs() < 4 {
        let pods = admin.json("/admin/api/v1/pods").await;
        assert_eq!((count(&pods), &pods["pods"][0]["reachable"]), (1, &true.into()), "{pods}");
        assert_eq!((&pods["pods"][0]["ready"], &pods["complete"]), (&true.into(), &true.into()), "{pods}");
        answers += 1;
        tokio::task::yield_now().await;
    }
    assert!(admin.person().text("/admin").await.contains("Discovery fails"), "{away}");
    let asked = api.asked_anything() + api.connections() - asked;
    let most = 30 + 2 * began.elapsed().as_secs();
    assert!(asked <= most, "asked {asked} times in {:?}", began.elapsed());

    match outage {
        Outage::Refuses => api.start_again().await,
        Outage::TurnsAway | Outage::Fails(_) => api.heal(),
    }
    let well = pods(&admin, "the recovery", |pods| pods["discovery_error"].is_null() && count(pods) == 2).await;
    assert!(well["pods"].as_array().unwrap().iter().all(|pod| pod["listed"] == true), "{well}");
    admin.sessions(2).await;
    assert_eq!(
        (log_lines(&admin, "pods cannot be found"), log_lines(&admin, "pods are found again")),
        (1, 1),
        "{outage:?}"
    );
    assert_eq!(log_lines(&admin, "kube_"), 0, "the kube crate logs nothing: {:?}", admin.log());
}

#[tokio::test]
async fn an_api_that_refuses_connections_removes_no_pod() {
    check_outage(Outage::Refuses).await;
}

#[tokio::test]
async fn an_api_that_closes_every_connection_removes_no_pod() {
    check_outage(Outage::TurnsAway).await;
}

#[tokio::test]
async fn an_api_that_forbids_removes_no_pod() {
    check_outage(Outage::Fails(Fault::Forbidden)).await;
}

#[tokio::test]
async fn an_api_that_is_broken_removes_no_pod() {
    check_outage(Outage::Fails(Fault::Broken)).await;
}

#[tokio::test]
async fn an_api_that_is_busy_removes_no_pod() {
    check_outage(Outage::Fails(Fault::Busy)).await;
}

#[tokio::test]
async fn an_api_that_never_answers_removes_no_pod() {
    check_outage(Outage::Fails(Fault::Silent)).await;
}
