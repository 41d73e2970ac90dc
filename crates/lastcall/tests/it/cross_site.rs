//! Forms of identity providers and payment returns: another site's posts, to the paths that the app names.

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use lastcall::{Lastcall, Listeners, PodName, Refusal, Session, SignIn, Signal, UserName};
use test_support::{Person, eventually, metric};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

/// A service with an app of its own, in this process.
struct Embedded {
    address: String,
    signals: mpsc::UnboundedSender<Signal>,
    maintenance: watch::Sender<bool>,
}

async fn page(session: Session) -> String {
    session.user().to_string()
}

async fn signed_in(sign_in: SignIn) -> Result<Response, Refusal> {
    let signed_in = sign_in.name_user(UserName::from_input("ada")).await?;
    Ok((signed_in, Redirect::to("/")).into_response())
}

async fn start() -> Embedded {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = Router::new()
        .route("/", get(page))
        .route("/acs", post(signed_in))
        .route("/paid", post(|| async { "thank you" }))
        .route("/mine", post(page))
        .route("/other", post(|| async { "done" }));
    let (signals, mut heard) = mpsc::unbounded_channel();
    let (maintenance, switch) = watch::channel(false);
    let lastcall = Lastcall::builder(PodName::new("embedded").unwrap())
        .maintenance(switch)
        .cross_site_posts(["/acs", "/paid", "/mine", "/logout"])
        .build();
    let heard = futures_util::stream::poll_fn(move |context| heard.poll_recv(context));
    tokio::spawn(async move { lastcall.serve(app, Listeners::http(listener), heard).await });
    Embedded { address, signals, maintenance }
}

impl Embedded {
    fn person(&self) -> Person {
        Person::new(&self.address)
    }

    /// Another site's form, which browsers send without a cookie that is `SameSite=Lax`.
    async fn posts(&self, path: &str, site: &[(&str, &str)]) -> reqwest::Response {
        let post = site.iter().fold(self.person().post(path), |post, (name, value)| post.header(*name, *value));
        post.send().await.unwrap()
    }

    async fn metric(&self, series: &str) -> f64 {
        metric(&self.person().text("/metrics").await, series).unwrap()
    }
}

/// What browsers say of such a form, by HTTPS and by plain HTTP; the last of a page without referrers.
const STRANGERS: [&[(&str, &str)]; 3] = [
    &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("origin", "https://idp.test")],
    &[("origin", "https://idp.test"), ("accept", "text/html")],
    &[("origin", "null"), ("accept", "text/html")],
];

#[tokio::test]
async fn another_sites_form_reaches_the_paths_that_are_named_and_touches_no_session() {
    let service = start().await;
    let person = service.person().visit().await;
    let session = person.session().await;
    for stranger in STRANGERS {
        for (path, status) in [("/paid", 200), ("/mine", 401), ("/other", 403), ("/logout", 403), ("/login", 403)] {
            let answer = service.posts(path, stranger).await;
            assert_eq!(answer.status(), status, "{path} {stranger:?}");
            assert!(answer.headers().get("set-cookie").is_none(), "{path} {stranger:?}");
        }
        // A browser that does not know `SameSite` sends the cookie along.
        let post = stranger.iter().fold(person.post("/mine"), |post, (name, value)| post.header(*name, *value));
        let answer = post.send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers().get("set-cookie")),
            (401, None),
            "no session rides along"
        );
    }
    assert_eq!(person.session().await["session_id"], session["session_id"], "the browser's session stays");
    assert_eq!(person.post("/mine").send().await.unwrap().status(), 200, "our own forms have it as ever");
    assert_eq!(service.metric("total_logins").await, 1.0);
}

#[tokio::test]
async fn a_handler_signs_in_the_user_that_the_other_site_names() {
    let service = start().await;
    let browser = service.person();
    let post = STRANGERS[0].iter().fold(browser.post("/acs"), |post, (name, value)| post.header(*name, *value));
    let answer = post.send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(browser.text("/").await, "ada");
    assert_eq!(service.metric("total_logins").await, 1.0);
    assert_eq!(browser.post("/acs").send().await.unwrap().status(), 303, "a session that is there gets a new id");
    assert_eq!(service.metric("total_logins").await, 1.0);
    assert_eq!(service.metric("active_sessions_total").await, 1.0);
}

#[tokio::test]
async fn users_come_back_by_such_a_form_while_a_countdown_runs() {
    let service = start().await;
    let person = service.person().visit().await;
    let _stream = person.events().await;
    service.maintenance.send_replace(true);
    eventually("the countdown", || async { (service.person().status("/").await == 503).then_some(()) }).await;
    assert_eq!(service.posts("/paid", STRANGERS[0]).await.status(), 200);
    let refused = service.posts("/acs", STRANGERS[0]).await;
    assert_eq!((refused.status().as_u16(), refused.headers().get("set-cookie")), (503, None), "no session starts");
    person.post("/logout").send().await.unwrap();
    eventually("maintenance is on", || async {
        (service.posts("/paid", STRANGERS[0]).await.status() == 503).then_some(())
    })
    .await;
    service.maintenance.send_replace(false);
    eventually("serving", || async { (service.person().status("/").await == 200).then_some(()) }).await;

    let person = service.person().visit().await;
    let _stream = person.events().await;
    service.signals.send(Signal::Term).unwrap();
    eventually("the drain", || async { (service.person().status("/").await == 503).then_some(()) }).await;
    assert_eq!(service.posts("/paid", STRANGERS[0]).await.status(), 200);
}
