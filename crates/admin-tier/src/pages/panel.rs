//! `/admin`: the pods, and how far each has drained.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use session_domain::fleet::{Conditions, PodState, PodView, Standing};
use session_domain::{Phase, Timestamp};

use super::switch::SwitchView;
use super::{Completeness, Frame, audit, page, words};
use crate::app::App;
use crate::auth::Operator;
use crate::clock;

/// How often the panel renews while pods follow the switch.
const SOON: Duration = Duration::from_secs(1);

#[derive(Template)]
#[template(path = "panel.html")]
struct Panel {
    frame: Frame,
    total: u64,
    completeness: Completeness,
    draining: usize,
    forced: u64,
    graceful: u64,
    logins: u64,
    switch: Option<SwitchView>,
    pods: Vec<Card>,
    audit: Vec<audit::Line>,
}

/// A pod on the panel.
#[derive(Debug)]
struct Card {
    name: String,
    address: String,
    /// What discovery says of it.
    conditions: Vec<&'static str>,
    /// A word for the state, and the class that colours it.
    state: &'static str,
    class: &'static str,
    /// How long it has been so, where that was seen.
    state_for: Option<String>,
    /// What is wrong, if anything.
    trouble: Option<String>,
    sessions: Option<u64>,
    drain: Option<Drain>,
    version: String,
    up_for: Option<String>,
    heard: String,
    slow: Option<String>,
    forced: u64,
    graceful: u64,
    told: u64,
}

/// How far a pod has drained.
#[derive(Debug)]
struct Drain {
    from: u64,
    left: u64,
    gone: u64,
    deadline: Option<(Timestamp, String)>,
}

/// `GET /admin`.
pub(crate) async fn panel(State(app): State<App>, operator: Operator) -> Response {
    let (view, now) = (app.view(), clock::now());
    let counters = || {
        let here = view.pods().iter().filter_map(|pod| pod.report.as_ref()).map(|report| report.counters);
        here.chain(view.gone().map(|gone| gone.counters))
    };
    let switch = app.maintenance.as_ref().map(|maintenance| SwitchView::new(maintenance, &view, now));
    // Whoever has just moved the switch watches the pods follow.
    let is_under_way = switch.as_ref().is_some_and(|switch| switch.is_under_way(now));
    let refresh = if is_under_way { app.refresh.min(SOON) } else { app.refresh };
    page(&Panel {
        frame: Frame::new("Pods", refresh, now).of(&operator),
        total: view.total_sessions(),
        completeness: Completeness::of(&view),
        draining: view.pods().iter().filter(|pod| is_leaving(pod)).count(),
        forced: counters().map(|counters| counters.forced_logouts).sum(),
        graceful: counters().map(|counters| counters.graceful_logouts).sum(),
        logins: counters().map(|counters| counters.logins).sum(),
        switch,
        pods: view.pods().iter().map(|pod| card(pod, now)).collect(),
        audit: audit::lines(&app.audit),
    })
}

fn is_leaving(pod: &PodView) -> bool {
    let phase = pod.report.as_ref().map(|report| report.phase);
    pod.is_reachable() && matches!(phase, Some(Phase::Draining | Phase::Propagating))
}

fn card(pod: &PodView, now: Timestamp) -> Card {
    let report = pod.report.as_ref();
    let (state, class) = state(pod);
    let live = pod.is_reachable();
    Card {
        name: pod.label().to_owned(),
        address: pod.address.to_string(),
        conditions: conditions(pod),
        state,
        class,
        state_for: pod.phase_since.filter(|_| live).map(|since| words::duration(now.since(since))),
        trouble: match pod.standing() {
            Standing::Lying(reason) | Standing::Unreachable(reason) => Some(reason),
            Standing::Waiting | Standing::Live | Standing::Finished => None,
        },
        sessions: pod.active_sessions(),
        drain: drain(pod, now),
        version: report.map(|report| report.version.clone()).unwrap_or_default(),
        up_for: report.filter(|_| live).map(|report| words::duration(now.since(report.started_at))),
        heard: pod.last_seen.map_or_else(|| "never".to_owned(), |seen| words::ago(seen, now)),
        slow: pod.slow.map(words::duration),
        forced: report.map_or(0, |report| report.counters.forced_logouts),
        graceful: report.map_or(0, |report| report.counters.graceful_logouts),
        told: report.map_or(0, |report| report.counters.drain_notifications_sent),
    }
}

fn state(pod: &PodView) -> (&'static str, &'static str) {
    match (&pod.state, pod.report.as_ref().map(|report| report.phase)) {
        (PodState::Finished, _) => ("finished", "finished"),
        (PodState::Unreachable { .. }, _) => ("unreachable", "unreachable"),
        (PodState::Waiting, _) | (PodState::Live, None) => ("not heard yet", "waiting"),
        (PodState::Live, Some(Phase::Serving)) => ("serving", "serving"),
        (PodState::Live, Some(Phase::Maintenance)) => ("maintenance", "maintenance"),
        (PodState::Live, Some(Phase::Draining)) => ("draining", "draining"),
        (PodState::Live, Some(Phase::Propagating)) => ("leaving rotation", "propagating"),
    }
}

/// What discovery says of a pod, in Kubernetes' words.
fn conditions(pod: &PodView) -> Vec<&'static str> {
    let said = |condition: Option<bool>, yes, no| condition.map(|is| if is { yes } else { no });
    let Conditions { ready, serving, terminating } = pod.conditions;
    let unlisted = (!pod.is_listed()).then_some("no longer listed");
    let leaving = terminating.filter(|is| *is).map(|_| "terminating");
    [unlisted, leaving, said(ready, "ready", "not ready"), said(serving, "serving", "not serving")]
        .into_iter()
        .flatten()
        .collect()
}

fn drain(pod: &PodView, now: Timestamp) -> Option<Drain> {
    let report = pod.report.as_ref().filter(|_| pod.state != PodState::Finished)?;
    let left = report.active_sessions;
    let from = pod.drained_from?.max(left);
    let deadline = report.forced_logout_at.map(|at| (at, words::duration(at.since(now))));
    Some(Drain { from, left, gone: from - left, deadline })
}
