//! A store that refuses the login, comes back empty, refuses writes, is slow or is away, while users are
//! routed to any pod: no user loses the session or the name. One file for each fault.

mod away;
mod empty;
mod login;
mod refusing;
mod rest;
mod slow;

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use test_support::{Person, TEST_TIMEOUT, UserPod, eventually};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::{BINARY, QUICK};

const KEY: (&str, &str) = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");

/// A pod on the Redis at `url`, with `options` on top.
async fn pod(name: &str, url: &str, options: &[(&str, &str)]) -> UserPod {
    UserPod::start(BINARY, name, &[&QUICK[..], &[("REDIS_URL", url), KEY], options].concat()).await
}

/// Three pods on the Redis at `url`.
async fn three_pods(url: &str, options: &[(&str, &str)]) -> Vec<UserPod> {
    let mut pods = Vec::new();
    for name in ["user-1", "user-2", "user-3"] {
        pods.push(pod(name, url, options).await);
    }
    pods
}

/// A user who has signed in.
#[derive(Clone, Debug)]
struct User {
    person: Person,
    name: String,
    id: String,
}

impl User {
    async fn sign_in(pod: &UserPod, name: String) -> Self {
        let person = pod.person().visit().await;
        assert_eq!(person.login(&name).await.status(), 303);
        let id = person.session().await["session_id"].as_str().unwrap().to_owned();
        Self { person, name, id }
    }

    /// Asks a pod for the page and the session. Returns an error for a violation; else whether both were served, or the user
    /// was asked to wait.
    async fn ask(&self, host: &str) -> Result<bool, String> {
        let person = self.person.at(host);
        let mut served = true;
        for path in ["/session", "/"] {
            let asked = person.request(path).header("accept", "text/html").timeout(TEST_TIMEOUT).send().await;
            let answer = asked.map_err(|error| format!("{} at {host}{path}: {error:?}", self.name))?;
            served &= self.judge(path, answer).await?;
        }
        Ok(served)
    }

    async fn judge(&self, path: &str, answer: Response) -> Result<bool, String> {
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.text().await.unwrap_or_default();
        let wrong = |what: &str| Err(format!("{} {} at {path}: {status} {what}", self.name, self.id));
        if headers.contains_key("set-cookie") {
            return wrong("with a new cookie");
        }
        match (status, path) {
            (200, "/session") => {
                let session: Value = serde_json::from_str(&body).unwrap();
                let same = session["session_id"] == self.id.as_str() && session["user"] == self.name.as_str();
                if same { Ok(true) } else { wrong(&body) }
            }
            (200, _) if body.contains(&self.name) => Ok(true),
            (503, _) if headers.contains_key("retry-after") => Ok(false),
            _ => wrong(""),
        }
    }
}

/// Users who have signed in at these pods, in turn.
async fn sign_in_all(pods: &[UserPod], count: usize) -> Vec<User> {
    let mut users = Vec::new();
    for n in 0..count {
        users.push(User::sign_in(&pods[n % pods.len()], format!("ada-{n}")).await);
    }
    users
}

/// The answers while users requested pages from random pods.
#[derive(Debug, Default)]
struct Seen {
    served: u32,
    asked_to_wait: u32,
    wrong: Vec<String>,
}

/// Lets all users request pages from random pods for this long.
async fn roam(users: &[User], pods: &[UserPod], time: Duration) -> Seen {
    let hosts: Vec<String> = pods.iter().map(|pod| pod.http.clone()).collect();
    let until = Instant::now() + time;
    let mut roaming = JoinSet::new();
    for user in users {
        let (user, hosts) = (user.clone(), hosts.clone());
        roaming.spawn(async move {
            let mut seen = Seen::default();
            while Instant::now() < until {
                match user.ask(&hosts[fastrand::usize(..hosts.len())]).await {
                    Ok(true) => seen.served += 1,
                    Ok(false) => seen.asked_to_wait += 1,
                    Err(what) => {
                        // A new cookie has replaced the user's: what follows would be the consequence.
                        seen.wrong.push(what);
                        return seen;
                    }
                }
                sleep(Duration::from_millis(fastrand::u64(50..250))).await;
            }
            seen
        });
    }
    let mut all = Seen::default();
    while let Some(seen) = roaming.join_next().await {
        let seen = seen.unwrap();
        all.served += seen.served;
        all.asked_to_wait += seen.asked_to_wait;
        all.wrong.extend(seen.wrong);
    }
    note(&format!("{} served, {} asked to wait, {} wrong", all.served, all.asked_to_wait, all.wrong.len()));
    all
}

/// Waits until every pod serves each user under the user's own name.
async fn all_are_served(users: &[User], pods: &[UserPod]) {
    for user in users {
        for pod in pods {
            let served = || async {
                let seen = user.ask(&pod.http).await;
                seen.unwrap_or_else(|wrong| panic!("{wrong}")).then_some(())
            };
            eventually(&format!("{} at {}", user.name, pod.http), served).await;
        }
    }
}

/// Waits until a metric of a pod has this value.
async fn becomes(pod: &UserPod, series: &str, value: f64) {
    eventually(&format!("{series} {value}"), || async {
        (test_support::metric(&pod.person().text("/metrics").await, series) == Some(value)).then_some(())
    })
    .await;
}

#[allow(clippy::print_stdout, reason = "the figures, for those who run it with --no-capture")]
fn note(figures: &str) {
    println!("{figures}");
}
