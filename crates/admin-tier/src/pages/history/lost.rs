//! Pods that left without a final report.

use askama::Template;
use fleet::{FleetView, LeaveReason, LostPod};

use crate::format;
use crate::pages::relative_time::{RelativeTime, TimeRendering};

/// The list, newest first.
#[derive(Template)]
#[template(path = "history/lost.html")]
pub(super) struct LostPods {
    pods: Vec<LostPodLine>,
}

struct LostPodLine {
    name: String,
    address: String,
    left_at: RelativeTime,
    last_seen: Option<RelativeTime>,
    sessions: String,
    reason: &'static str,
}

impl LostPods {
    pub(super) fn new(view: &FleetView, times: TimeRendering) -> Self {
        Self { pods: view.lost_pods().map(|lost| line(lost, times)).collect() }
    }
}

fn line(lost: &LostPod, times: TimeRendering) -> LostPodLine {
    LostPodLine {
        name: lost.pod.clone(),
        address: lost.address.to_string(),
        left_at: RelativeTime::clock(lost.left_at),
        last_seen: lost.last_seen.map(|seen| times.ago(seen)),
        sessions: match lost.present {
            Some(present) if present < lost.sessions => {
                let idle = format::count(lost.sessions - present);
                format!("{} present, {idle} idle", format::counted(present, "session"))
            }
            Some(_) | None => format::counted(lost.sessions, "session"),
        },
        reason: match lost.reason {
            LeaveReason::Silent => "was silent for too long",
            LeaveReason::Released => "no longer held any session, as the shared store says",
            LeaveReason::Forgotten => "was forgotten by an operator",
        },
    }
}
