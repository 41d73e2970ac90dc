//! `/admin/history`: how it went of late, and what the last drains were like.

mod line;
mod lost;
mod trend;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use fleet::MAX_DRAIN_RECORDS;
use http::HeaderMap;
pub(super) use line::{Line, query};
use lost::LostPods;
use trend::Trend;

use super::words::Words;
use super::{Frame, page};
use crate::app::App;
use crate::auth::Operator;
use crate::clock;
use crate::live::{self, Picture, Scene};

#[derive(Template)]
#[template(path = "history.html")]
struct History {
    frame: Frame,
    picture: Picture,
}

/// What is said of the list as a whole.
#[derive(Template)]
#[template(path = "history/range.html")]
struct Range {
    drains: usize,
    kept: usize,
}

/// `GET /admin/history`.
pub(crate) async fn history(State(app): State<App>, operator: Operator) -> Response {
    let now = clock::now();
    let frame = Frame::new("History", app.refresh, now).of(&operator).live("/admin/history/events");
    page(&History { frame, picture: draw(&app.scene(), Words::At(now)) })
}

/// `GET /admin/history/events`: its parts as they change.
pub(crate) async fn history_events(State(app): State<App>, operator: Operator, headers: HeaderMap) -> Response {
    live::open(&app, &operator, &headers, |scene| Arc::new(draw(scene, Words::ByScript)))
}

fn draw(scene: &Scene, words: Words) -> Picture {
    let mut picture = Picture::default();
    let lines: Vec<_> = scene.view.drains().map(|drain| Line::new(drain, words)).collect();
    picture.part("trend", &Trend::of(&scene.view));
    picture.part("range", &Range { drains: lines.len(), kept: MAX_DRAIN_RECORDS });
    picture.part("lost-pods", &LostPods::of(&scene.view, words));
    picture.list("drains", lines.into_iter().map(|line| (line.id.clone(), line)));
    picture
}
