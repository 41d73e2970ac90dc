//! What a handoff needs of the other options.

use test_support::Process;

use super::KEY;
use crate::BINARY;

const REDIS: (&str, &str) = ("REDIS_URL", "redis://127.0.0.1:1");

async fn check(environment: &[(&str, &str)]) -> (Option<i32>, Vec<String>) {
    let fixed = [("GRPC_AUTH", "off"), ("HANDOFF", "on")];
    let mut process = Process::start(BINARY, &["--check-config"], &[&fixed, environment].concat());
    let status = process.wait().await.code();
    let log = process.log();
    (status, log.into_iter().filter(|line| line.starts_with("HANDOFF")).collect())
}

#[tokio::test]
async fn a_handoff_without_a_store_a_key_or_time_is_a_configuration_error() {
    let no_store = "HANDOFF: `on` needs REDIS_URL: sessions move through a store that the pods share";
    let no_key = "HANDOFF: `on` needs SESSION_KEY: other pods have to verify the cookies; set it, or `shared`";
    let fits = |delay, quiet, drain| {
        format!(
            "HANDOFF: HANDOFF_DELAY {delay}s + HANDOFF_QUIET {quiet}s must be below half of DRAIN_TIMEOUT {drain}s; lower \
             them, or raise DRAIN_TIMEOUT"
        )
    };
    let shared = ("SESSION_KEY", "shared");
    for (environment, faults) in [
        (&[][..], vec![no_store.to_owned(), no_key.to_owned()]),
        (&[REDIS], vec![no_key.to_owned()]),
        (&[KEY], vec![no_store.to_owned()]),
        (&[REDIS, KEY, ("DRAIN_TIMEOUT", "30s")], vec![fits("5", "10", "30")]),
        (
            &[KEY, ("DRAIN_TIMEOUT", "10s"), ("HANDOFF_QUIET", "500ms")],
            vec![no_store.to_owned(), fits("5", "0.5", "10")],
        ),
        (&[REDIS, KEY, ("DRAIN_TIMEOUT", "31s")], vec![]),
        (&[REDIS, shared], vec![]),
        (&[("HANDOFF", "off"), ("HANDOFF_QUIET", "1h")], vec![]),
    ] {
        let status = if faults.is_empty() { 0 } else { 78 };
        assert_eq!(check(environment).await, (Some(status), faults), "{environment:?}");
    }
    for (variable, value) in
        [("HANDOFF", "yes"), ("HANDOFF_DELAY", "soon"), ("HANDOFF_RATE", "0"), ("HANDOFF_QUIET", "-1s")]
    {
        let (status, faults) = check(&[REDIS, shared, (variable, value)]).await;
        assert_eq!((status, faults.len()), (Some(78), 1), "{faults:?}");
        assert!(faults[0].starts_with(&format!("{variable}: ")), "{faults:?}");
    }
}
