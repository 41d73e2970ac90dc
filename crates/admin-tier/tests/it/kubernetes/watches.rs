//! Watches that end, break, are forbidden or go silent.

use std::time::Instant;

use test_support::eventually;
use test_support::kubernetes::{Fault, KubernetesDouble, Verb};

use super::{admin, count, holding, list, log_lines, pods, ready};

/// Watches fail while lists succeed: no pod is missing, changes arrive, and the API is not called without end.
async fn check_failing_watches(fault: Option<Fault>) {
    let api = KubernetesDouble::start().await;
    let (first, second) = (holding("user-1", "ada").await, holding("user-2", "bob").await);
    list(&api, "s-1", "user-1", &first, &ready());
    let admin = admin(&api).await;
    admin.sessions(1).await;
    eventually("a watch", || async { (api.watching() > 0).then_some(()) }).await;
    let (asked, began) = (api.asked_anything(), Instant::now());
    match fault {
        Some(fault) => api.fault(Verb::Watch, fault),
        None => api.compact(),
    }
    api.cut_watches();
    api.expire_watches();
    list(&api, "s-2", "user-2", &second, &ready());
    eventually("the second pod", || async {
        let pods = admin.json("/admin/api/v1/pods").await;
        assert!(pods.to_string().contains(&first.address), "{pods}");
        (count(&pods) == 2).then_some(())
    })
    .await;
    let asked = api.asked_anything() - asked;
    let most = 30 + 2 * began.elapsed().as_secs();
    assert!(asked <= most, "{fault:?}: asked {asked} times in {:?}", began.elapsed());
    let is_trouble = fault == Some(Fault::Forbidden);
    if is_trouble {
        pods(&admin, "the trouble", |pods| pods["discovery_error"].is_string()).await;
    }
    api.heal();
    api.remove("endpointslices", "sample-app", "s-2");
    admin.pod(&second.address, "the removal", |pod| pod["listed"] == false).await;
    pods(&admin, "no trouble", |pods| pods["discovery_error"].is_null()).await;
    assert_eq!(log_lines(&admin, "pods cannot be found"), usize::from(is_trouble), "{fault:?}");
}

#[tokio::test]
async fn a_watch_that_is_too_far_behind_is_started_again() {
    check_failing_watches(None).await;
    check_failing_watches(Some(Fault::Gone)).await;
}

#[tokio::test]
async fn watches_that_end_or_break_at_once_cause_no_busy_loop() {
    for fault in [Fault::Ends, Fault::Breaks, Fault::Garbles] {
        check_failing_watches(Some(fault)).await;
    }
}

#[tokio::test]
async fn a_forbidden_watch_is_replaced_by_lists_and_reported() {
    check_failing_watches(Some(Fault::Forbidden)).await;
}

#[tokio::test]
async fn a_silent_watch_is_noticed() {
    let api = KubernetesDouble::start().await;
    let (first, second) = (holding("user-1", "ada").await, holding("user-2", "bob").await);
    list(&api, "s-1", "user-1", &first, &ready());
    let admin = admin(&api).await;
    admin.sessions(1).await;
    eventually("a watch", || async { (api.watching() > 0).then_some(()) }).await;
    api.fault(Verb::Watch, Fault::Mute);
    api.heal();
    list(&api, "s-2", "user-2", &second, &ready());
    let found = pods(&admin, "the second pod", |pods| count(pods) == 2).await;
    assert!(found["discovery_error"].is_null() && found.to_string().contains(&first.address), "{found}");
}
