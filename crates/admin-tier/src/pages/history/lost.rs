//! Pods that left without a last word.

use askama::Template;
use fleet::{FleetView, LeaveReason, LostPod};

use super::super::words::{self, Moment, Words};

/// The list, the newest first.
#[derive(Template)]
#[template(path = "history/lost.html")]
pub(super) struct LostPods {
    pods: Vec<Line>,
}

/// One pod.
struct Line {
    name: String,
    address: String,
    left_at: Moment,
    last_seen: Option<Moment>,
    sessions: String,
    why: &'static str,
}

impl LostPods {
    pub(super) fn of(view: &FleetView, words: Words) -> Self {
        Self { pods: view.lost_pods().map(|lost| line(lost, words)).collect() }
    }
}

fn line(lost: &LostPod, words: Words) -> Line {
    Line {
        name: lost.pod.clone(),
        address: lost.address.to_string(),
        left_at: words::clock(lost.left_at),
        last_seen: lost.last_seen.map(|seen| words.ago(seen)),
        sessions: match lost.present {
            Some(present) if present < lost.sessions => {
                format!(
                    "{} present, {} idle",
                    words::counted(present, "session"),
                    words::count(lost.sessions - present)
                )
            }
            Some(_) | None => words::counted(lost.sessions, "session"),
        },
        why: match lost.reason {
            LeaveReason::Silent => "was silent for too long",
            LeaveReason::Released => "held nothing any more, as the shared store says",
            LeaveReason::Forgotten => "was forgotten by an operator",
        },
    }
}
