//! What an app's own jobs are told, whether or not users are there.

use axum::Router;
use axum::routing::get;
use lastcall::{Lastcall, PodName, Session, Signal};
use test_support::Person;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// An app on a server of its own, with the ways to drain it and to close it for maintenance.
struct App {
    lastcall: Lastcall,
    signals: mpsc::UnboundedSender<Signal>,
    maintenance: watch::Sender<bool>,
    person: Person,
}

async fn app() -> App {
    let (signals, mut sent) = mpsc::unbounded_channel();
    let (maintenance, switch) = watch::channel(false);
    let lastcall = Lastcall::builder(PodName::new("jobs").unwrap()).maintenance(switch).build();
    lastcall.start(futures_util::stream::poll_fn(move |context| sent.poll_recv(context))).unwrap();
    let page = get(async |session: Session| session.user().to_string());
    let routes = Router::new().route("/", page).layer(lastcall.layer()).merge(lastcall.routes());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let person = Person::new(&listener.local_addr().unwrap().to_string());
    let drained = lastcall.drained();
    tokio::spawn(async move { axum::serve(listener, routes).with_graceful_shutdown(drained).await });
    App { lastcall, signals, maintenance, person }
}

#[tokio::test]
async fn a_shutdown_is_a_notice_also_where_no_user_is_there() {
    let app = app().await;
    let mut notices = app.lastcall.notices();
    assert_eq!(notices.current(), None);
    app.signals.send(Signal::Term).unwrap();
    let notice = notices.started().await;
    assert_eq!(notice.reason, "shutdown");
    assert!(notice.countdown <= 15, "the propagation: {notice:?}");
    assert!(app.lastcall.notices().current().is_some(), "a job that begins now hears of it as well");
}

#[tokio::test]
async fn a_shutdown_stays_a_notice_after_its_last_user_has_logged_out() {
    let app = app().await;
    let person = app.person.clone().visit().await;
    let _stream = person.events().await;
    let mut notices = app.lastcall.notices();
    app.signals.send(Signal::Term).unwrap();
    let notice = notices.started().await;
    assert!(notice.countdown > 15, "the drain: {notice:?}");
    assert_eq!(person.post("/logout").send().await.unwrap().status(), 200);
    let sooner = notices.changed().await.unwrap();
    assert!(sooner.forced_logout_at < notice.forced_logout_at, "{sooner:?}");
}

#[tokio::test]
async fn maintenance_is_a_notice_until_it_is_over() {
    let app = app().await;
    let mut notices = app.lastcall.notices();
    app.maintenance.send(true).unwrap();
    assert_eq!(notices.started().await.reason, "maintenance");
    app.maintenance.send(false).unwrap();
    let mut current = notices.changed().await;
    while let Some(notice) = current {
        assert_eq!(notice.reason, "maintenance", "without users its countdown is over at once");
        current = notices.changed().await;
    }
    assert_eq!(notices.current(), None);
}
