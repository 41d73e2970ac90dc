//! One session on the dashboard.

use askama::Template;
use fleet::{FleetView, Row};

use super::super::words::{self, Moment, Words};
use crate::api::SessionParameters;

/// A row.
#[derive(Template)]
#[template(path = "users/row.html")]
pub(super) struct Line {
    /// The element's id.
    pub(super) id: String,
    session: String,
    user: String,
    /// All sessions of the same user.
    of_user: String,
    pod: String,
    login_time: Moment,
    last_activity: Moment,
    duration: Moment,
    /// What the row should not be taken for: out of date, or impossible.
    is_stale: bool,
    is_doubtful: bool,
    is_shared: bool,
    is_notified: bool,
    /// It is not present: nobody has a page of it open.
    is_idle: bool,
}

impl Line {
    pub(super) fn new(row: &Row, view: &FleetView, asked: &SessionParameters, words: Words) -> Self {
        let (session, is_stale) = (&row.session, view.is_stale(row));
        let user = session.user.to_string();
        let of_user =
            SessionParameters { user: user.clone(), sort: asked.sort.clone(), ..SessionParameters::default() };
        Self {
            id: format!("s-{}", session.id),
            session: session.id.to_string(),
            of_user: of_user.href("/admin/users"),
            user,
            pod: session.pod.to_string(),
            login_time: words::clock(session.login_time),
            last_activity: words.ago(session.last_activity),
            duration: match view.pod(&row.address).and_then(|pod| pod.last_seen) {
                Some(seen) if is_stale => words::lasted(session.login_time, seen),
                Some(_) | None => words.lasting(session.login_time),
            },
            is_stale,
            is_doubtful: row.doubtful,
            is_shared: !row.also_at.is_empty(),
            is_notified: session.notified,
            // Of a pod that cannot be heard nobody knows.
            is_idle: !session.is_present() && !is_stale,
        }
    }
}
