//! What is published of the ConfigMap while the API works.

use super::*;

#[tokio::test]
async fn a_change_is_published_at_once() {
    let mut cluster = cluster(SwitchState::Off, Timing::default()).await;
    let mut took = Vec::new();
    for number in 0..20 {
        let state = SwitchState::from(number % 2 == 0);
        cluster.turn(state);
        took.push(wait_until_healthy(&mut cluster.statuses, state).await);
    }
    took.sort();
    assert!(took[10] < Duration::from_secs(5), "{took:?}");
    // By the one watch: nothing else was asked.
    assert_eq!((cluster.api.asked(Verb::List), cluster.api.asked(Verb::Watch)), (1, 1));
}

#[tokio::test]
async fn a_config_map_that_is_removed_or_has_no_valid_key_keeps_its_state() {
    let mut cluster = cluster(SwitchState::On, Timing::default()).await;
    cluster.api.put(&map(&json!({ "OTHER": "x" })));
    assert_eq!(cluster.failing("has no key").await.state, SwitchState::On);
    cluster.api.remove("configmaps", "sample-app", "app-config");
    assert_eq!(cluster.failing("does not exist").await.state, SwitchState::On);
    cluster.api.put(&map(&json!({ KEY: "perhaps" })));
    assert_eq!(cluster.failing("neither true nor false").await.state, SwitchState::On);
    cluster.api.put(&map(&json!({ KEY: "" })));
    assert_eq!(cluster.failing("is empty").await.state, SwitchState::On);
    cluster.api.put(&map(&json!({ KEY: " No\n" })));
    wait_until_healthy(&mut cluster.statuses, SwitchState::Off).await;
}

#[tokio::test]
async fn a_key_or_config_map_that_never_existed_is_off() {
    let mut cluster = follow_on(KubernetesDouble::start().await, SwitchState::On, Timing::default()).await;
    assert_eq!(cluster.failing("does not exist").await.state, SwitchState::Off);
    cluster.wait_until_watched().await;
    cluster.api.put(&map(&json!({ "OTHER": "x" })));
    wait_until_healthy(&mut cluster.statuses, SwitchState::Off).await;
    cluster.turn(SwitchState::On);
    wait_until_healthy(&mut cluster.statuses, SwitchState::On).await;
}

#[tokio::test]
async fn debug_output_of_the_switch_hides_the_token() {
    let options = Options { token: Some("s3cret".to_owned()), ..Options::default() };
    let api = KubernetesDouble::with(options).await;
    api.put(&map(&json!({ KEY: "on" })));
    let mut cluster = follow_on(api, SwitchState::Off, SHORT).await;
    wait_until_healthy(&mut cluster.statuses, SwitchState::On).await;
    assert!(!format!("{:?}", cluster.switch()).contains("s3cret"));
}
