//! `/admin/history/drain`: one drain: who was there, how each left, how long it took.

mod person;
mod summary;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use fleet::DrainRecord;
use http::{HeaderMap, StatusCode};
use person::Someone;
use serde::Deserialize;
use session_domain::Timestamp;
use summary::Summary;

use super::history::query;
use super::words::{self, Words};
use super::{Frame, page};
use crate::app::App;
use crate::auth::Operator;
use crate::live::{self, Picture, Scene};
use crate::{clock, problem};

#[derive(Template)]
#[template(path = "drain.html")]
struct Drain {
    frame: Frame,
    pod: String,
    picture: Picture,
}

/// Which drain is asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    pod: String,
    started: i64,
}

/// What was asked, as it came.
type Question = Result<Query<Asked>, QueryRejection>;

/// `GET /admin/history/drain`.
pub(crate) async fn drain(State(app): State<App>, operator: Operator, headers: HeaderMap, asked: Question) -> Response {
    let (scene, now) = (app.scene(), clock::now());
    let drain = match find(&scene, asked, &headers) {
        Ok((drain, _)) => drain,
        Err(refusal) => return *refusal,
    };
    let frame = if drain.end.is_none() {
        Frame::new("Drain", app.refresh, now).live(format!("/admin/history/drain/events?{}", query(drain)))
    } else {
        Frame::new("Drain", Duration::ZERO, now)
    };
    let picture = draw(drain, Words::At(now), now);
    page(&Drain { frame: frame.of(&operator), pod: drain.pod.to_string(), picture })
}

/// `GET /admin/history/drain/events`: its parts as they change.
pub(crate) async fn drain_events(
    State(app): State<App>,
    operator: Operator,
    headers: HeaderMap,
    asked: Question,
) -> Response {
    let asked = match find(&app.scene(), asked, &headers) {
        Ok((_, asked)) => asked,
        Err(refusal) => return *refusal,
    };
    let mut shown = Arc::default();
    live::open(&app, &operator, &headers, move |scene| {
        // One that was forgotten meanwhile stays as it was seen last.
        if let Some(drain) = scene.view.drains().find(|drain| asked.is(drain)) {
            shown = Arc::new(draw(drain, Words::ByScript, clock::now()));
        }
        Arc::clone(&shown)
    })
}

impl Asked {
    fn is(&self, drain: &DrainRecord) -> bool {
        drain.pod.as_str() == self.pod && drain.started_at.as_millis() == self.started
    }
}

fn find<'a>(scene: &'a Scene, asked: Question, headers: &HeaderMap) -> Result<(&'a DrainRecord, Asked), Box<Response>> {
    let Ok(Query(asked)) = asked else {
        let detail =
            "A drain is named by `pod` and `started`, its beginning in milliseconds; the history links to each.";
        return Err(Box::new(problem::answer(headers, StatusCode::BAD_REQUEST, "Which drain?", detail)));
    };
    match scene.view.drains().find(|drain| asked.is(drain)) {
        Some(drain) => Ok((drain, asked)),
        None => {
            let detail = "This drain is not remembered: it is too long ago, or this admin tier has not seen it.";
            Err(Box::new(problem::answer(headers, StatusCode::NOT_FOUND, "No such drain", detail)))
        }
    }
}

fn draw(drain: &DrainRecord, words: Words, now: Timestamp) -> Picture {
    let begin = drain.timeline.first().map_or(drain.first_seen_at, |(at, _)| *at);
    let after = |at: Timestamp| words::duration(at.since(begin));
    let mut known: Vec<_> = drain.named_sessions.iter().collect();
    known.sort_by_key(|(id, person)| (person.ended.map_or(Timestamp::MAX, |(at, _)| at), **id));
    let people = known.into_iter().map(|(id, person)| Someone::new(*id, person, drain.end, &after));
    let mut picture = Picture::default();
    picture.part("drain", &Summary::new(drain, words, now, &after));
    picture.list("people", people.map(|someone| (someone.id.clone(), someone)));
    picture
}
