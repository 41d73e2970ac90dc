//! Resources that an app registers: closed when the propagation is over, before the server is stopped.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use lastcall::{Builder, Lastcall, PodName, Session, Signal};
use test_support::{Person, TEST_TIMEOUT, eventually};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::own_server::{serve, start};

type Calls = Arc<Mutex<Vec<&'static str>>>;

fn builder() -> (Builder, Calls) {
    let calls = Calls::default();
    let call = |name| {
        let calls = Arc::clone(&calls);
        async move { calls.lock().unwrap().push(name) }
    };
    let builder = Lastcall::builder(PodName::new("closers").unwrap())
        .config(|config| config.policy.propagation_wait = Duration::ZERO)
        .on_close("queue", TEST_TIMEOUT, call("queue"))
        .on_close("database", TEST_TIMEOUT, call("database"));
    (builder, calls)
}

#[tokio::test]
async fn on_a_server_of_the_apps_own_resources_are_closed_while_it_still_answers() {
    let (builder, calls) = builder();
    let (release, released) = oneshot::channel::<()>();
    let lastcall = builder.on_close("exports", TEST_TIMEOUT, released).build();
    let signals = start(&lastcall);
    let app = Router::new().route("/", get(async |_: Session| "page")).layer(lastcall.layer()).merge(lastcall.routes());
    let (address, server) = serve(&lastcall, app).await;
    let person = Person::new(&address);
    person.clone().visit().await;
    signals.send(Signal::Quit).unwrap();
    eventually("unready", async || (person.status("/ready").await == 503).then_some(())).await;
    assert_eq!(person.status("/health").await, 200);
    assert_eq!(*calls.lock().unwrap(), [""; 0], "those that were registered before wait for the last one");
    release.send(()).unwrap();
    server.await.unwrap();
    assert_eq!(*calls.lock().unwrap(), ["database", "queue"]);
    lastcall.finish().await.unwrap();
    assert_eq!(calls.lock().unwrap().len(), 2, "once each");
}

#[tokio::test]
async fn resources_are_closed_also_where_an_app_finishes_without_a_drain() {
    let (builder, calls) = builder();
    let lastcall = builder.build();
    let _signals = start(&lastcall);
    lastcall.finish().await.unwrap();
    assert_eq!(*calls.lock().unwrap(), ["database", "queue"]);
}

#[tokio::test]
async fn a_resource_that_hangs_is_waited_for_until_its_limit_or_a_further_signal() {
    let limits = [(Duration::from_millis(300), false), (Duration::from_secs(3600), true)];
    for (limit, is_hurried) in limits {
        let (builder, calls) = builder();
        let (begun, begins) = oneshot::channel();
        let hung = async move {
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
        };
        let lastcall = builder.on_close("socket", limit, hung).build();
        let signals = start(&lastcall);
        let before = Instant::now();
        signals.send(Signal::Term).unwrap();
        begins.await.unwrap();
        if is_hurried {
            signals.send(Signal::Int).unwrap();
        }
        timeout(TEST_TIMEOUT, lastcall.drained()).await.unwrap();
        lastcall.finish().await.unwrap();
        let closed = calls.lock().unwrap().clone();
        if is_hurried {
            assert_eq!(closed, [""; 0], "nothing more is waited for");
        } else {
            assert_eq!(closed, ["database", "queue"]);
            assert!(before.elapsed() >= limit);
        }
    }
}
