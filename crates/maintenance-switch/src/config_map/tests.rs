//! The ConfigMap as the API server gives it, and all the ways in which it does not.

#![allow(clippy::print_stderr, reason = "the figures are of interest")]

use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use test_support::kubernetes::{Fault, KubernetesDouble, Options, Verb};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;
use crate::report::Teller;
use crate::testing::{Log, sound, told};
use crate::{Report, SetError, Switch, SwitchHealth};

/// Everything in a tenth of its time.
const QUICK: Pace =
    Pace { patience: Duration::from_secs(1), well: Duration::from_millis(500), round: Duration::from_secs(3) };

/// How long a fault lasts in these tests: some tries.
const A_WHILE: Duration = Duration::from_secs(4);

struct Cluster {
    api: KubernetesDouble,
    client: Client,
    reports: watch::Receiver<Report>,
    following: JoinHandle<()>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn name() -> ConfigMapName {
    "sample-app/app-config".parse().unwrap()
}

fn map(data: &Value) -> Value {
    let metadata = json!({ "namespace": "sample-app", "name": "app-config" });
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data })
}

async fn client_of(api: &KubernetesDouble) -> Client {
    let kubeconfig = Kubeconfig::read_from(api.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    crate::client(config).unwrap()
}

async fn follow_on(api: KubernetesDouble, begin: Position, pace: Pace) -> Cluster {
    let client = client_of(&api).await;
    let (sender, reports) = watch::channel(Report::unheard(begin));
    let teller = Teller::new("the ConfigMap".to_owned(), sender);
    let following = tokio::spawn({
        let client = client.clone();
        async move { follow(client, &name(), teller, pace).await }
    });
    Cluster { api, client, reports, following }
}

/// A cluster whose switch stands like this, and is watched.
async fn cluster(position: Position, pace: Pace) -> Cluster {
    let api = KubernetesDouble::start().await;
    let mut cluster = follow_on(api, Position::Off, pace).await;
    cluster.turn(position);
    sound(&mut cluster.reports, position).await;
    cluster.watched().await;
    cluster
}

impl Cluster {
    /// As `kubectl patch` would.
    fn turn(&self, position: Position) {
        self.api.put(&map(&json!({ KEY: position.to_string(), "OTHER": "maybe" })));
    }

    async fn watched(&self) {
        let watching = async {
            while self.api.watching() == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), watching).await.expect("nobody watches");
    }

    /// Waits until the switch is doubted for a reason with these words.
    async fn doubted(&mut self, words: &str) -> Report {
        let doubted = |report: &Report| matches!(&report.standing, SwitchHealth::Doubtful(doubt) if doubt.to_string().contains(words));
        told(&mut self.reports, words, doubted).await.0
    }

    fn switch(&self) -> Switch {
        Switch::ConfigMap { name: name(), client: self.client.clone() }
    }
}

#[test]
fn names_are_read_and_what_is_none_is_refused_with_words() {
    for good in ["sample-app/app-config", " a/b ", "a/b.c-d.0", "0/1"] {
        let name: ConfigMapName = good.parse().unwrap();
        assert_eq!(name.to_string(), good.trim());
    }
    for parts in ["", "app-config", "a/b/c", "/a/b"] {
        assert!(matches!(parts.parse::<ConfigMapName>(), Err(BadName::Parts(_))), "{parts:?}");
    }
    for namespace in ["/b", "A/b", "a.b/c", "-a/b", "a_b/c", "a b/c"] {
        assert!(matches!(namespace.parse::<ConfigMapName>(), Err(BadName::Namespace(_))), "{namespace:?}");
    }
    for bad in ["a/", "a/B", "a/b..c", "a/.b", "a/b-", "a/b,metadata.name=c", "a/b?c"] {
        assert!(matches!(bad.parse::<ConfigMapName>(), Err(BadName::Name(_))), "{bad:?}");
    }
}

#[tokio::test]
async fn a_flip_is_told_at_once() {
    let mut cluster = cluster(Position::Off, Pace::default()).await;
    let mut took = Vec::new();
    for number in 0..20 {
        let position = Position::from(number % 2 == 0);
        cluster.turn(position);
        took.push(sound(&mut cluster.reports, position).await);
    }
    took.sort();
    eprintln!("a flip is told after {:?} at the median, {:?} at most", took[10], took[19]);
    assert!(took[10] < Duration::from_secs(5), "{took:?}");
    // By the one watch: nothing else was asked.
    assert_eq!((cluster.api.asked(Verb::List), cluster.api.asked(Verb::Watch)), (1, 1));
}

#[tokio::test]
async fn an_api_that_is_away_moves_nothing_and_a_flip_meanwhile_is_told_when_it_is_back() {
    let log = Log::start();
    let mut cluster = cluster(Position::On, QUICK).await;
    cluster.api.turn_away(true);
    assert_eq!(cluster.doubted("").await.position, Position::On);
    let before = cluster.api.connections();
    sleep(A_WHILE).await;
    let tries = cluster.api.connections() - before;
    assert!((2..15).contains(&tries), "{tries} tries");
    // Now it does not even listen.
    cluster.api.stop().await;
    cluster.turn(Position::Off);
    sleep(A_WHILE / 2).await;
    assert_eq!(cluster.reports.borrow().position, Position::On);
    cluster.api.heal();
    cluster.api.start_again().await;
    let (_, took) = told(&mut cluster.reports, "off", |report| report.position == Position::Off).await;
    eprintln!("after {tries} tries in {A_WHILE:?}, told {took:?} after its return");
    sound(&mut cluster.reports, Position::Off).await;
    assert_eq!((log.count("in doubt"), log.count("is read again")), (1, 1), "{:#?}", log.lines());
}

#[tokio::test]
async fn an_api_that_is_away_at_the_start_is_waited_for() {
    let mut api = KubernetesDouble::start().await;
    api.put(&map(&json!({ KEY: "on" })));
    api.stop().await;
    let mut cluster = follow_on(api, Position::Off, QUICK).await;
    assert_eq!(cluster.doubted("").await.position, Position::Off);
    cluster.api.start_again().await;
    sound(&mut cluster.reports, Position::On).await;
}

/// A cluster in which these verbs fail for a while: the switch stays, and is told again afterwards.
async fn survives(what: &str, verbs: &[Verb], fault: Fault, doubt: Option<&str>) {
    let log = Log::start();
    let mut cluster = cluster(Position::On, QUICK).await;
    let before = cluster.api.asked_anything();
    for verb in verbs {
        cluster.api.fault(*verb, fault);
    }
    cluster.api.cut_watches();
    if let Some(words) = doubt {
        assert_eq!(cluster.doubted(words).await.position, Position::On, "{what}");
    }
    let mut flips = cluster.reports.clone();
    let moved = timeout(A_WHILE, flips.wait_for(|report| report.position == Position::Off)).await;
    assert!(moved.is_err(), "{what} moved the switch");
    let asked = cluster.api.asked_anything() - before;
    eprintln!("{what}: {asked} requests in {A_WHILE:?}");
    assert!(asked < 40, "{what}: {asked} requests");
    let lost = log.count("in doubt");
    assert!(lost <= 1, "{what}: {:#?}", log.lines());
    cluster.api.heal();
    cluster.turn(Position::Off);
    sound(&mut cluster.reports, Position::Off).await;
    assert_eq!(log.count("is read again"), lost, "{what}: {:#?}", log.lines());
}

#[test]
fn every_fault_is_survived_without_a_flip_and_without_a_busy_loop() {
    let faults: [(&str, &[Verb], Fault, Option<&str>); 12] = [
        ("403", &Verb::ALL, Fault::Forbidden, Some("may not be read")),
        ("403 for watches", &[Verb::Watch], Fault::Forbidden, Some("grant list and watch")),
        ("500", &Verb::ALL, Fault::Broken, Some("answers 500")),
        ("500 for watches", &[Verb::Watch], Fault::Broken, Some("answers 500")),
        ("503", &Verb::ALL, Fault::Busy, Some("answers 503")),
        ("no answer", &Verb::ALL, Fault::Silent, Some("does not answer")),
        ("410 for watches", &[Verb::Watch], Fault::Gone, None),
        ("410", &Verb::ALL, Fault::Gone, None),
        ("watches that end at once", &[Verb::Watch], Fault::Ends, None),
        ("watches that break at once", &[Verb::Watch], Fault::Breaks, None),
        ("watches that say nothing", &[Verb::Watch], Fault::Mute, None),
        ("watches that say nonsense", &[Verb::Watch], Fault::Garbles, None),
    ];
    // Each on a thread of its own, with a log of its own.
    std::thread::scope(|scope| {
        for (what, verbs, fault, doubt) in faults {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(survives(what, verbs, fault, doubt));
            });
        }
    });
}

#[tokio::test]
async fn what_a_hanging_watch_misses_the_next_list_says() {
    let mut cluster = cluster(Position::On, QUICK).await;
    cluster.api.fault(Verb::Watch, Fault::Mute);
    cluster.turn(Position::Off);
    let took = sound(&mut cluster.reports, Position::Off).await;
    eprintln!("a flip that a hanging watch missed is told after {took:?}, rounds being {:?}", QUICK.round);
}

#[tokio::test]
async fn a_watch_that_is_too_far_behind_begins_anew_and_nobody_notices() {
    let log = Log::start();
    let mut cluster = cluster(Position::On, Pace::default()).await;
    for position in [Position::Off, Position::On] {
        cluster.api.compact();
        cluster.api.expire_watches();
        cluster.turn(position);
        sound(&mut cluster.reports, position).await;
    }
    assert!(log.lines().is_empty(), "{:#?}", log.lines());
}

#[tokio::test]
async fn a_config_map_that_loses_its_key_or_goes_or_says_nonsense_keeps_its_position() {
    let mut cluster = cluster(Position::On, Pace::default()).await;
    cluster.api.put(&map(&json!({ "OTHER": "x" })));
    assert_eq!(cluster.doubted("has no key").await.position, Position::On);
    cluster.api.remove("configmaps", "sample-app", "app-config");
    assert_eq!(cluster.doubted("is not there").await.position, Position::On);
    cluster.api.put(&map(&json!({ KEY: "perhaps" })));
    assert_eq!(cluster.doubted("neither true nor false").await.position, Position::On);
    cluster.api.put(&map(&json!({ KEY: "" })));
    assert_eq!(cluster.doubted("says nothing").await.position, Position::On);
    cluster.api.put(&map(&json!({ KEY: " No\n" })));
    sound(&mut cluster.reports, Position::Off).await;
}

#[tokio::test]
async fn at_first_a_key_that_is_not_there_is_off_and_so_is_a_config_map() {
    let mut cluster = follow_on(KubernetesDouble::start().await, Position::On, Pace::default()).await;
    assert_eq!(cluster.doubted("is not there").await.position, Position::Off);
    cluster.watched().await;
    cluster.api.put(&map(&json!({ "OTHER": "x" })));
    sound(&mut cluster.reports, Position::Off).await;
    cluster.turn(Position::On);
    sound(&mut cluster.reports, Position::On).await;
}

#[tokio::test]
async fn setting_changes_the_key_and_nothing_else_and_nothing_where_it_stands_so() {
    let mut cluster = cluster(Position::Off, Pace::default()).await;
    cluster.switch().set(Position::On).await.unwrap();
    sound(&mut cluster.reports, Position::On).await;
    let object = cluster.api.object("configmaps", "sample-app", "app-config").unwrap();
    assert_eq!(object["data"], json!({ KEY: "true", "OTHER": "maybe" }));
    cluster.switch().set(Position::On).await.unwrap();
    assert_eq!(cluster.api.asked(Verb::Patch), 1);
    // Also where there is no key, or no data at all.
    cluster.api.put(&map(&Value::Null));
    cluster.switch().set(Position::Off).await.unwrap();
    sound(&mut cluster.reports, Position::Off).await;
}

#[tokio::test]
async fn setting_fails_with_words_that_say_what_to_do() {
    let cluster = cluster(Position::Off, Pace::default()).await;
    let refusals = [
        (Verb::Get, Fault::Forbidden, "grant get and patch"),
        (Verb::Patch, Fault::Forbidden, "grant get and patch"),
        (Verb::Patch, Fault::Broken, "away"),
        (Verb::Patch, Fault::Busy, "away"),
        (Verb::Patch, Fault::Conflict, "changed all the time"),
    ];
    for (verb, fault, words) in refusals {
        cluster.api.fault(verb, fault);
        let refused = cluster.switch().set(Position::On).await.unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
        cluster.api.heal();
    }
    assert_eq!(cluster.api.asked(Verb::Patch), 3 + 6);
    cluster.api.remove("configmaps", "sample-app", "app-config");
    let refused = cluster.switch().set(Position::On).await.unwrap_err();
    assert!(refused.to_string().contains("kubectl create configmap -n sample-app app-config"), "{refused}");
    cluster.api.turn_away(true);
    assert!(matches!(cluster.switch().set(Position::On).await, Err(SetError::Away(_))));
}

#[tokio::test]
async fn two_operators_at_once_do_not_fight() {
    let cluster = cluster(Position::Off, Pace::default()).await;
    // Others change other keys all the while: that is tried again.
    let busy = async {
        for number in 0..30 {
            let mut object = cluster.api.object("configmaps", "sample-app", "app-config").unwrap();
            object["data"]["OTHER"] = number.to_string().into();
            cluster.api.put(&object);
            sleep(Duration::from_millis(1)).await;
        }
    };
    let switch = cluster.switch();
    let (set, ()) = tokio::join!(switch.set(Position::On), busy);
    set.unwrap();
    // Both want the same: both are content.
    let (first, second) = (cluster.switch(), cluster.switch());
    let (first, second) = tokio::join!(first.set(Position::Off), second.set(Position::Off));
    assert!(first.is_ok() && second.is_ok());
    // They want the contrary: nobody is left in the dark about where it stands.
    for _ in 0..20 {
        let (on, off) = (cluster.switch(), cluster.switch());
        let (on, off) = tokio::join!(on.set(Position::On), off.set(Position::Off));
        let object = cluster.api.object("configmaps", "sample-app", "app-config").unwrap();
        let stands: Position = object["data"][KEY].as_str().unwrap().parse().unwrap();
        let told = |result: &Result<(), SetError>, wanted| match result {
            Ok(()) => true,
            Err(SetError::Overtaken { now }) => *now == stands && stands != wanted,
            Err(_) => false,
        };
        assert!(told(&on, Position::On) && told(&off, Position::Off) && (on.is_ok() || off.is_ok()), "{on:?} {off:?}");
    }
}

#[tokio::test]
async fn whoever_comes_second_with_the_contrary_is_told_even_where_there_was_no_key() {
    let api = KubernetesDouble::start().await;
    api.put(&map(&json!({})));
    let cluster = follow_on(api, Position::Off, Pace::default()).await;
    // Read before the other one has set it, and too late to patch.
    cluster.api.fault(Verb::Patch, Fault::Conflict);
    let switch = cluster.switch();
    let other = async {
        while cluster.api.asked(Verb::Patch) == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        cluster.api.put(&map(&json!({ KEY: "true" })));
    };
    let (set, ()) = tokio::join!(switch.set(Position::Off), other);
    assert!(matches!(set, Err(SetError::Overtaken { now: Position::On })), "{set:?}");
}

#[tokio::test]
async fn whoever_lacks_a_token_is_told_so() {
    let options = Options { token: Some("s3cret".to_owned()), ..Options::default() };
    let api = KubernetesDouble::with(options).await;
    api.put(&map(&json!({ KEY: "on" })));
    let mut cluster = follow_on(api, Position::Off, QUICK).await;
    sound(&mut cluster.reports, Position::On).await;
    assert!(!format!("{:?}", cluster.switch()).contains("s3cret"));
}
