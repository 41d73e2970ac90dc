//! `/admin/users`: every session, searched, sorted and paged on the server, all of it in the URL.

mod controls;
mod left_behind;
mod row;
mod table;

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as Parameters, State};
use axum::response::Response;
use controls::Controls;
use fleet::{Listing, Query};
use http::{HeaderMap, StatusCode};
use left_behind::LeftBehind;
use row::Line;
use table::{Head, Pager, Range};

use super::completeness::Notice;
use super::words::Words;
use super::{Completeness, Frame, page};
use crate::api::SessionParameters;
use crate::app::App;
use crate::auth::Operator;
use crate::live::{self, Picture, Scene};
use crate::{clock, problem};

/// Sessions on a page of the dashboard.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    frame: Frame,
    controls: Controls,
    picture: Picture,
}

/// What was asked, checked.
fn read(
    headers: &HeaderMap,
    parameters: Result<Parameters<SessionParameters>, QueryRejection>,
) -> Result<(SessionParameters, Query), Box<Response>> {
    let bad = |detail: &str| Box::new(problem::answer(headers, StatusCode::BAD_REQUEST, "Bad query", detail));
    let Parameters(asked) = parameters.map_err(|rejection| bad(&rejection.body_text()))?;
    let query = asked.query(ROWS).map_err(|error| bad(&error.to_string()))?;
    Ok((asked, query))
}

/// `GET /admin/users`.
pub(crate) async fn users(
    State(app): State<App>,
    operator: Operator,
    headers: HeaderMap,
    parameters: Result<Parameters<SessionParameters>, QueryRejection>,
) -> Response {
    let (asked, query) = match read(&headers, parameters) {
        Ok(read) => read,
        Err(refused) => return *refused,
    };
    let (scene, now) = (app.scene(), clock::now());
    let controls = Controls::new(&asked, &query, &scene.view);
    let listing = Listing::new(query, &scene.view);
    let frame = Frame::new("Users", app.refresh, now).of(&operator).live(asked.href("/admin/users/events"));
    page(&Users { frame, controls, picture: draw(&scene, &asked, &listing, Words::At(now)) })
}

/// `GET /admin/users/events`: the parts of that page as they change.
pub(crate) async fn users_events(
    State(app): State<App>,
    operator: Operator,
    headers: HeaderMap,
    parameters: Result<Parameters<SessionParameters>, QueryRejection>,
) -> Response {
    let (asked, query) = match read(&headers, parameters) {
        Ok(read) => read,
        Err(refused) => return *refused,
    };
    let mut kept: Option<(Listing, Arc<Scene>)> = None;
    live::open(&app, &operator, &headers, move |scene| {
        let listing = match kept.take() {
            Some((mut listing, before)) => {
                listing.follow(&before.view, &scene.view);
                listing
            }
            None => Listing::new(query.clone(), &scene.view),
        };
        let picture = Arc::new(draw(scene, &asked, &listing, Words::ByScript));
        kept = Some((listing, Arc::clone(scene)));
        picture
    })
}

/// The parts of the page. A new one is drawn here, and gets its place in `users.html`.
fn draw(scene: &Scene, asked: &SessionParameters, listing: &Listing, words: Words) -> Picture {
    let mut picture = Picture::default();
    let completeness = Completeness::of_scene(scene);
    picture.part("head", &Head::new(&scene.view, &completeness));
    picture.part("completeness", &Notice { completeness: &completeness });
    picture.part("range", &Range::new(&scene.view, &completeness, listing));
    let lines = listing.rows().iter().map(|row| Line::new(row, &scene.view, asked, words));
    picture.list("rows", lines.map(|line| (line.id.clone(), line)));
    picture.part("pager", &Pager::new(asked, listing));
    picture.part("left-behind", &LeftBehind::new(scene.orphans.as_deref(), words));
    picture
}
