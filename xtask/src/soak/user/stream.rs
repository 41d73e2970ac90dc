//! The event stream of a user, which reconnects as the page does (`crates/lastcall/assets/script`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::handoff::{Handoff, MOVE_JITTER};
use super::{PAGE, User};
use crate::soak::browser::Failure;
use crate::soak::events::Events;
use crate::soak::tally::{ErrorKind, UserError};

/// A stream that is asked within this time after it was opened has come back to the pod that asked before.
const ASKED_AT_ONCE: Duration = Duration::from_millis(300);
/// The page takes a stream without a heartbeat for this time to be dead. The pods send one every 5 s.
const SILENCE: Duration = Duration::from_secs(20);
/// The page signs out by itself this long before the end of a countdown of 20 s or more; shorter ones shorten it in
/// proportion.
const LOGOUT_LEAD: [f64; 2] = [1.0, 4.0];
const FULL_LEAD_FROM: f64 = 20.0;

/// Why a stream is over.
enum Ended {
    /// The pod asked the session to move, at once after the stream was opened (`true`) or later.
    Asked { at_once: bool, pod: String, events: Events },
    /// Without an event.
    Silently,
    /// It broke off, or was silent.
    Broken(Failure),
    /// The session has ended, or is lost.
    SessionOver { signed_out: bool },
    /// The laptop sleeps.
    Asleep,
    /// The user stops.
    Stopped,
}

/// Keeps a stream open until `stop`.
pub(super) async fn run(user: Arc<User>, mut random: fastrand::Rng, stop: CancellationToken) {
    let (mut gap_since, mut handoff) = (None, Handoff::default());
    while !stop.is_cancelled() {
        tokio::select! {
            () = user.awake() => {}
            () = stop.cancelled() => return,
        }
        user.tally.request();
        let requested = Instant::now();
        let opened = user.browser.send("GET", "/events", "text/event-stream", "").await;
        let ended = match opened {
            Ok(answer) if answer.status == 200 => {
                follow(&user, Events::new(answer), requested, &mut gap_since, &mut random, &stop).await
            }
            Ok(answer) if answer.status == 401 => {
                user.report(ErrorKind::SessionLost, "GET /events");
                Ended::SessionOver { signed_out: false }
            }
            refused => {
                match refused {
                    Ok(answer) => {
                        let status = answer.status;
                        let body = user.browser.read(answer).await.unwrap_or_default();
                        user.report(UserError::answer(status, &body), "GET /events");
                    }
                    Err(failure) => user.report(ErrorKind::Failure(failure), "GET /events"),
                }
                gap_since.get_or_insert_with(Instant::now);
                sleep(Duration::from_secs_f64(1.0 + 4.0 * random.f64())).await;
                continue;
            }
        };
        if let Ended::Asked { at_once, pod, events } = ended {
            let pause = handoff.asked(&pod, at_once);
            // The stream stays open until the attempt.
            sleep(pause.unwrap_or_default()).await;
            drop(events);
            gap_since.get_or_insert_with(Instant::now);
            if pause.is_some() {
                user.tally.count(|counts| counts.moves += 1);
                sleep(MOVE_JITTER.mul_f64(random.f64())).await;
            } else {
                user.tally.count(|counts| counts.quick_retries += 1);
            }
            continue;
        }
        if matches!(ended, Ended::Asleep) {
            // Its stream is away on purpose.
            gap_since = None;
            continue;
        }
        gap_since.get_or_insert_with(Instant::now);
        match ended {
            Ended::Silently => {
                user.tally.count(|counts| counts.ends_without_event += 1);
                sleep(MOVE_JITTER.mul_f64(random.f64())).await;
            }
            Ended::Broken(failure) => {
                user.report(ErrorKind::StreamBroken(failure), "GET /events");
                sleep(Duration::from_secs_f64(1.0 + 4.0 * random.f64())).await;
            }
            Ended::SessionOver { signed_out } => {
                if signed_out {
                    // The page signs out in time; the answer does not matter any more.
                    let _ = user.browser.fetch("GET", "/logout?reason=drain", PAGE, "").await;
                }
                user.sign_in_again().await;
                gap_since = None;
            }
            Ended::Asked { .. } | Ended::Asleep | Ended::Stopped => return,
        }
    }
}

/// Reads a stream to its end.
async fn follow(
    user: &User,
    mut events: Events,
    requested: Instant,
    gap_since: &mut Option<Instant>,
    random: &mut fastrand::Rng,
    stop: &CancellationToken,
) -> Ended {
    let opened = Instant::now();
    let (mut connected, mut pod) = (None, String::new());
    let mut logout_at = None;
    loop {
        // The gap ends with the first stream that stays: one that came back to the pod that asked ends at once.
        let patience = if connected.is_some() { ASKED_AT_ONCE } else { SILENCE };
        let far = || Instant::now() + Duration::from_secs(3600);
        let event = tokio::select! {
            event = events.next(patience) => event,
            () = sleep_until(logout_at.unwrap_or_else(far).into()) => return Ended::SessionOver { signed_out: true },
            () = user.asleep() => return Ended::Asleep,
            () = stop.cancelled() => return Ended::Stopped,
        };
        let event = match event {
            Err(Failure::Silent) if connected.is_some() => {
                close_gap(user, gap_since, requested, connected.take());
                continue;
            }
            Err(failure) => return Ended::Broken(failure),
            Ok(None) => {
                close_gap(user, gap_since, requested, connected.take());
                return Ended::Silently;
            }
            Ok(Some(event)) => event,
        };
        match event.name.as_str() {
            "connected" => {
                if event.data["session_id"] != user.state.lock().session_id.as_str() {
                    user.report(ErrorKind::SessionLost, "GET /events");
                    return Ended::SessionOver { signed_out: false };
                }
                connected = Some(Instant::now());
                pod = event.data["pod"].as_str().unwrap_or_default().to_owned();
                if event.data["drain"].is_null() {
                    user.hide_banner();
                    logout_at = None;
                }
            }
            "drain" => {
                user.show_banner();
                logout_at = automatic_logout(&event.data, random);
            }
            "drain-cancelled" => {
                user.hide_banner();
                logout_at = None;
            }
            "move" => {
                let at_once = opened.elapsed() < ASKED_AT_ONCE;
                if !at_once {
                    close_gap(user, gap_since, requested, connected.take());
                }
                return Ended::Asked { at_once, pod, events };
            }
            "session-ended" => return Ended::SessionOver { signed_out: false },
            "stream-ended" => user.report(ErrorKind::WrongAnswer, "stream-ended"),
            _ => {}
        }
    }
}

/// The stream was connected at that moment.
fn close_gap(user: &User, gap_since: &mut Option<Instant>, requested: Instant, connected: Option<Instant>) {
    if let (Some(connected), Some(since)) = (connected, gap_since.take_if(|_| connected.is_some())) {
        user.tally.count(|counts| {
            counts.gaps.push(connected.saturating_duration_since(since));
            counts.openings.push(connected.saturating_duration_since(requested));
        });
    }
}

/// When the page signs out by itself, if the notice says so.
pub(super) fn automatic_logout(notice: &Value, random: &mut fastrand::Rng) -> Option<Instant> {
    let is_automatic = notice["auto_logout"] == true && notice["protected"] != true;
    let remaining = notice["remaining_ms"].as_f64().unwrap_or_default() / 1000.0;
    let [least, most] = LOGOUT_LEAD;
    let lead = (remaining / FULL_LEAD_FROM).min(1.0) * (least + (most - least) * random.f64());
    is_automatic.then(|| Instant::now() + Duration::from_secs_f64((remaining - lead).max(0.0)))
}
