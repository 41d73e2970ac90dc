//! Setting the switch, alone and while others change it.

use super::*;

#[tokio::test]
async fn setting_changes_the_key_only_and_nothing_if_it_has_the_state_already() {
    let mut cluster = cluster(SwitchState::Off, Timing::default()).await;
    cluster.switch().set(SwitchState::On).await.unwrap();
    wait_until_healthy(&mut cluster.statuses, SwitchState::On).await;
    let object = cluster.api.object("configmaps", "sample-app", "app-config").unwrap();
    assert_eq!(object["data"], json!({ KEY: "true", "OTHER": "maybe" }));
    cluster.switch().set(SwitchState::On).await.unwrap();
    assert_eq!(cluster.api.asked(Verb::Patch), 1);
    // Also where there is no key, or no data at all.
    cluster.api.put(&map(&Value::Null));
    cluster.switch().set(SwitchState::Off).await.unwrap();
    wait_until_healthy(&mut cluster.statuses, SwitchState::Off).await;
}

#[tokio::test]
async fn a_failure_to_set_says_what_to_do() {
    let cluster = cluster(SwitchState::Off, Timing::default()).await;
    let refusals = [
        (Verb::Get, Fault::Forbidden, "grant get and patch"),
        (Verb::Patch, Fault::Forbidden, "grant get and patch"),
        (Verb::Patch, Fault::Broken, "not available"),
        (Verb::Patch, Fault::Busy, "not available"),
        (Verb::Patch, Fault::Conflict, "all the time"),
    ];
    for (verb, fault, words) in refusals {
        cluster.api.fault(verb, fault);
        let refused = cluster.switch().set(SwitchState::On).await.unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
        cluster.api.heal();
    }
    assert_eq!(cluster.api.asked(Verb::Patch), 3 + 6);
    cluster.api.remove("configmaps", "sample-app", "app-config");
    let refused = cluster.switch().set(SwitchState::On).await.unwrap_err();
    assert!(refused.to_string().contains("kubectl create configmap -n sample-app app-config"), "{refused}");
    cluster.api.reject_connections(true);
    assert!(matches!(cluster.switch().set(SwitchState::On).await, Err(SetError::Unavailable(_))));
}

#[tokio::test]
async fn two_operators_do_not_overwrite_each_other() {
    let cluster = cluster(SwitchState::Off, Timing::default()).await;
    // Other clients change other keys meanwhile: setting is attempted again.
    let busy = async {
        for number in 0..30 {
            let mut object = cluster.api.object("configmaps", "sample-app", "app-config").unwrap();
            object["data"]["OTHER"] = number.to_string().into();
            cluster.api.put(&object);
            sleep(Duration::from_millis(1)).await;
        }
    };
    let switch = cluster.switch();
    let (set, ()) = tokio::join!(switch.set(SwitchState::On), busy);
    set.unwrap();
    // The same change twice: both succeed.
    let (first, second) = (cluster.switch(), cluster.switch());
    let (first, second) = tokio::join!(first.set(SwitchState::Off), second.set(SwitchState::Off));
    assert!(first.is_ok() && second.is_ok());
    // Contrary changes: an operator whose change was lost gets an error with the state.
    for _ in 0..20 {
        let (on, off) = (cluster.switch(), cluster.switch());
        let (on, off) = tokio::join!(on.set(SwitchState::On), off.set(SwitchState::Off));
        let object = cluster.api.object("configmaps", "sample-app", "app-config").unwrap();
        let stands: SwitchState = object["data"][KEY].as_str().unwrap().parse().unwrap();
        let told = |result: &Result<(), SetError>, wanted| match result {
            Ok(()) => true,
            Err(SetError::Conflict { now }) => *now == stands && stands != wanted,
            Err(_) => false,
        };
        assert!(
            told(&on, SwitchState::On) && told(&off, SwitchState::Off) && (on.is_ok() || off.is_ok()),
            "{on:?} {off:?}"
        );
    }
}

#[tokio::test]
async fn the_second_of_two_contrary_changes_fails_even_if_there_was_no_key() {
    let api = KubernetesDouble::start().await;
    api.put(&map(&json!({})));
    let cluster = follow_on(api, SwitchState::Off, Timing::default()).await;
    // Read before the other one has set it, and too late to patch.
    cluster.api.fault(Verb::Patch, Fault::Conflict);
    let switch = cluster.switch();
    let other = async {
        while cluster.api.asked(Verb::Patch) == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        cluster.api.put(&map(&json!({ KEY: "true" })));
    };
    let (set, ()) = tokio::join!(switch.set(SwitchState::Off), other);
    assert!(matches!(set, Err(SetError::Conflict { now: SwitchState::On })), "{set:?}");
}
