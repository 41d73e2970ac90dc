//! Discovery with a scripted resolver, under a paused clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::state::DiscoveryState;
use super::*;

/// The result of a lookup.
#[derive(Clone, Debug)]
enum Answer {
    These(Vec<&'static str>),
    Fails,
    Takes(Duration),
}

/// Gives one scripted answer for each lookup, repeats the last, and records when it was called.
#[derive(Clone, Debug)]
struct ScriptedResolver {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Resolve for ScriptedResolver {
    async fn resolve(&self, _: &Name) -> io::Result<Vec<SocketAddr>> {
        self.asked.lock().unwrap().push(Instant::now());
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
        };
        match answer {
            Answer::These(addresses) => Ok(addresses.iter().map(|address| address.parse().unwrap()).collect()),
            Answer::Fails => Err(io::Error::other("failed to lookup address information: Name or service not known")),
            Answer::Takes(time) => {
                sleep(time).await;
                Ok(vec!["10.0.0.9:9091".parse().unwrap()])
            }
        }
    }
}

struct Running {
    resolver: ScriptedResolver,
    state: watch::Receiver<DiscoveryState>,
    task: JoinHandle<()>,
}

impl Running {
    fn with(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        let scripted = ScriptedResolver { answers, asked: Arc::default() };
        let (reporter, state) = Reporter::new();
        let (resolver, name) = (scripted.clone(), Name::parse("pods.test:9091").unwrap());
        let task = tokio::spawn(async move { run(&name, &resolver, &reporter).await });
        Self { resolver: scripted, state, task }
    }

    /// Returns the next state that differs from the last.
    async fn next(&mut self) -> (Vec<String>, Option<String>) {
        self.state.changed().await.unwrap();
        let state = self.state.borrow_and_update().clone();
        let pods = state.pods.iter().flat_map(|pods| pods.iter()).map(|pod| pod.address.to_string()).collect();
        (pods, state.error.as_deref().map(str::to_owned))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

use Answer::{Fails, Takes, These};

#[tokio::test(start_paused = true)]
async fn pods_come_and_go_with_the_answers_in_any_order() {
    let mut dns = Running::with([
        These(vec!["10.0.0.2:9091", "10.0.0.1:9091", "10.0.0.2:9091"]),
        These(vec!["10.0.0.1:9091", "10.0.0.2:9091"]),
        These(vec!["10.0.0.3:9091", "10.0.0.2:9091"]),
    ]);
    assert_eq!(dns.next().await, (vec!["10.0.0.1:9091".into(), "10.0.0.2:9091".into()], None));
    assert_eq!(dns.next().await, (vec!["10.0.0.2:9091".into(), "10.0.0.3:9091".into()], None));
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_and_an_error_remove_no_pod() {
    let mut dns =
        Running::with([Fails, These(vec!["10.0.0.1:9091"]), These(vec![]), Fails, These(vec!["10.0.0.1:9091"])]);
    let (pods, trouble) = dns.next().await;
    assert!(pods.is_empty() && trouble.unwrap().contains("pods.test cannot be resolved: "));
    assert_eq!(dns.next().await, (vec!["10.0.0.1:9091".into()], None));
    assert_eq!(dns.next().await, (vec!["10.0.0.1:9091".into()], Some("pods.test has no addresses".into())));
    let (pods, trouble) = dns.next().await;
    assert!(pods.len() == 1 && trouble.unwrap().contains("not known"));
    assert_eq!(dns.next().await, (vec!["10.0.0.1:9091".into()], None));
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_hangs_is_reported_and_not_called_again_meanwhile() {
    let mut dns = Running::with([Takes(Duration::from_secs(60)), These(vec!["10.0.0.1:9091"])]);
    assert_eq!(dns.next().await, (vec![], Some("nothing resolves pods.test within 5 s".into())));
    assert_eq!(dns.next().await, (vec!["10.0.0.9:9091".into()], None));
    assert_eq!(dns.resolver.asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_resolved_every_few_seconds_with_jitter() {
    let dns = Running::with([Fails]);
    sleep(Duration::from_secs(600)).await;
    let asked = dns.resolver.asked.lock().unwrap().clone();
    assert!((100..=150).contains(&asked.len()), "{} times in ten minutes", asked.len());
    let pauses: std::collections::HashSet<_> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() > 10, "no jitter");
    assert!(
        pauses.iter().all(|pause| *pause >= POLL_INTERVAL.mul_f64(0.79) && *pause <= POLL_INTERVAL.mul_f64(1.21)),
        "{pauses:?}"
    );
}

#[test]
fn addresses_of_one_family_are_used_so_that_no_pod_occurs_twice() {
    let pods = |texts: &[&str]| {
        let found = pods(texts.iter().map(|text| text.parse().unwrap()).collect());
        found.iter().map(|pod| pod.address.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(pods(&["[fd00::1]:9091", "10.0.0.1:9091", "[fd00::2]:9091"]), ["10.0.0.1:9091"]);
    assert_eq!(pods(&["[fd00::1]:9091", "[fd00::2]:9091"]), ["[fd00::1]:9091", "[fd00::2]:9091"]);
    let forty: Vec<_> = (1..=40).map(|n| format!("10.0.0.{n}:9091")).collect();
    assert_eq!(pods(&forty.iter().map(String::as_str).collect::<Vec<_>>()), forty);
}

#[tokio::test]
async fn the_systems_resolver_answers() {
    let found = SystemResolver.resolve(&Name::parse("localhost:9091").unwrap()).await.unwrap();
    assert!(found.iter().any(|address| address.ip().is_loopback() && address.port() == 9091), "{found:?}");
}
