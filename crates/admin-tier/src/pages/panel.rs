//! `/admin`: the pods at a glance, and how far each has drained.

mod card;
mod drain;
mod summary;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use card::Card;
use http::HeaderMap;
use summary::{Figures, Summary};

use super::audit::Deeds;
use super::completeness::Notice;
use super::switch::{SwitchPart, SwitchView};
use super::words::Words;
use super::{Completeness, Frame, page};
use crate::app::App;
use crate::auth::Operator;
use crate::clock;
use crate::live::{self, Picture, Scene};

/// How often the panel renews without scripts while pods follow the switch.
const SOON: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "panel.html")]
struct Panel {
    frame: Frame,
    picture: Picture,
}

/// `GET /admin`.
pub(crate) async fn panel(State(app): State<App>, operator: Operator) -> Response {
    let (scene, now) = (app.scene(), clock::now());
    // Whoever has just moved the switch watches the pods follow.
    let is_under_way = switch(&scene, Words::At(now)).is_some_and(|switch| switch.is_under_way(now));
    let refresh = if is_under_way { app.refresh.min(SOON) } else { app.refresh };
    let frame = Frame::new("Pods", refresh, now).of(&operator).live("/admin/events");
    page(&Panel { frame, picture: draw(&scene, Words::At(now)) })
}

/// `GET /admin/events`: the panel's parts as they change.
pub(crate) async fn panel_events(State(app): State<App>, operator: Operator, headers: HeaderMap) -> Response {
    live::open(&app, &operator, &headers, |scene| {
        let drawn = scene.panel.get_or_init(|| Arc::new(draw(scene, Words::ByScript)));
        Arc::clone(drawn)
    })
}

/// The parts of the panel. A new one is drawn here, and gets its place in `panel.html`.
fn draw(scene: &Scene, words: Words) -> Picture {
    let mut picture = Picture::default();
    let completeness = Completeness::of_scene(scene);
    picture.part("summary", &Summary::new(&scene.view, &completeness, words));
    picture.part("figures", &Figures::new(&scene.view, &completeness));
    picture.part("completeness", &Notice { completeness: &completeness });
    picture.part("switch", &SwitchPart { switch: switch(scene, words) });
    let mut cards: Vec<_> = scene.view.pods().iter().map(|pod| Card::new(pod, &scene.view, words)).collect();
    // What needs somebody stands first.
    cards.sort_by(|one, other| (one.rank, &one.name, &one.id).cmp(&(other.rank, &other.name, &other.id)));
    picture.list("pods", cards.into_iter().map(|card| (card.id.clone(), card)));
    picture.part("audit", &Deeds::new(scene.deeds.iter()));
    picture
}

fn switch(scene: &Scene, words: Words) -> Option<SwitchView> {
    scene.switch.as_ref().map(|switched| SwitchView::new(switched, &scene.view, words))
}
