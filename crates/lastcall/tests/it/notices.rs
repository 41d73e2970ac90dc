//! What an app's own jobs are told, whether or not users are there.

use axum::Router;
use axum::routing::get;
use lastcall::{Lastcall, PodName, Session, Signal};
use test_support::Person;
use tokio::sync::{mpsc, watch};

use crate::own_server::{serve, start};

/// An app on a server of its own, with the ways to drain it and to close it for maintenance.
struct App {
    lastcall: Lastcall,
    signals: mpsc::UnboundedSender<Signal>,
    maintenance: watch::Sender<bool>,
    person: Person,
}

async fn app() -> App {
    app_with(Router::new()).await
}

async fn app_with(more: Router) -> App {
    let (maintenance, switch) = watch::channel(false);
    let lastcall = Lastcall::builder(PodName::new("jobs").unwrap()).maintenance(switch).build();
    let signals = start(&lastcall);
    let page = get(async |session: Session| session.user().to_string());
    let routes = more.route("/", page).layer(lastcall.layer()).merge(lastcall.routes());
    let (address, _) = serve(&lastcall, routes).await;
    let person = Person::new(&address);
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

/// What a handler hears that follows its session.
type Seen = mpsc::UnboundedReceiver<(Option<&'static str>, bool)>;

/// An app whose `GET /follow` follows the notices of the session until it has ended.
async fn following() -> (App, Seen) {
    let (say, seen) = mpsc::unbounded_channel();
    let follow = async move |session: Session| {
        let mut notices = session.notices();
        tokio::spawn(async move {
            while !notices.has_ended() {
                let reason = notices.changed().await.map(|notice| notice.reason);
                say.send((reason, notices.has_ended())).unwrap();
            }
        });
    };
    (app_with(Router::new().route("/follow", get(follow))).await, seen)
}

#[tokio::test]
async fn a_follower_of_a_session_hears_of_its_notice_once_and_of_its_end() {
    let (app, mut seen) = following().await;
    let person = app.person.clone().visit().await;
    let _stream = person.events().await;
    assert_eq!(person.status("/follow").await, 200);
    person.login("ada").await;
    assert_eq!(person.text("/").await, "ada");
    assert!(seen.try_recv().is_err(), "a login is no notice");
    app.maintenance.send(true).unwrap();
    assert_eq!(seen.recv().await, Some((Some("maintenance"), false)));
    app.maintenance.send(false).unwrap();
    assert_eq!(seen.recv().await, Some((None, false)), "maintenance is over");
    assert_eq!(person.post("/logout").send().await.unwrap().status(), 200);
    assert_eq!(seen.recv().await, Some((None, true)));
}

#[tokio::test]
async fn a_head_request_that_reads_the_notices_notifies_nobody() {
    let read = get(async |session: Session| session.notices().current().map(|_| "read").unwrap_or_default());
    let app = app_with(Router::new().route("/read", read)).await;
    let person = app.person.clone().visit().await;
    let _present = person.get("/read").await;
    app.signals.send(Signal::Term).unwrap();
    app.lastcall.notices().started().await;
    let notified = || test_support::metric(&app.lastcall.render_metrics(), "drain_notifications_sent");
    let (client, request) = person.request("/read").build_split();
    let mut request = request.unwrap();
    *request.method_mut() = reqwest::Method::HEAD;
    assert_eq!(client.execute(request).await.unwrap().status(), 200);
    assert_eq!(notified(), Some(0.0));
    assert_eq!(person.text("/read").await, "read");
    assert_eq!(notified(), Some(1.0));
}
