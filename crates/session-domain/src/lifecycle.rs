//! The rules by which a pod drains: one pure state machine for shutdown and maintenance.
//!
//! ```text
//!  Serving ──▶ MaintenanceCountdown ──▶ MaintenanceClosed        maintenance on; countdown over
//!    ▲ │              │      │              │      │
//!    └─┼──────────────┘      │              │      │             maintenance off
//!    └─┼─────────────────────┼──────────────┘      │
//!      └──────────┬──────────┴─────────────────────┘             terminate
//!                 ▼
//!             Draining ──▶ Finishing ──▶ Propagating ──▶ Closing ──▶ Stopped     drained; work done; propagated; closed
//!                                             └──▶ Drained ────┘                   asked for without a signal; a signal
//! ```
//!
//! | from | on | to |
//! |---|---|---|
//! | `Serving` | [`Event::MaintenanceOn`] | `MaintenanceCountdown`, or `MaintenanceClosed` if no session is held |
//! | `MaintenanceCountdown` | no session held, or the deadline | `MaintenanceClosed` |
//! | `MaintenanceCountdown` | the deadline, with protected work | `MaintenanceFinishing` |
//! | `MaintenanceFinishing` | no protected work, or `TASK_GRACE` is over | `MaintenanceClosed` |
//! | `MaintenanceCountdown`, `MaintenanceFinishing`, `MaintenanceClosed` | [`Event::MaintenanceOff`] | `Serving` |
//! | these and `Serving` | [`Event::Terminate`], [`Event::DrainRequested`] | `Draining`, or `Finishing` if no session is present |
//! | `Draining` | no session present, or the deadline | `Finishing` |
//! | `Finishing` | no protected work, or `TASK_GRACE` is over | `Propagating` |
//! | `Propagating` | its time is over | `Closing`; where no signal has come, `Drained` |
//! | `Drained` | [`Event::Terminate`] | `Closing` |
//! | `Closing` | the resources are closed, or their time is over | `Stopped` |
//! | `Draining`, `Finishing`, `Propagating` | a second signal with [`SecondSignal::Hurry`] | `Closing` |
//! | `Closing` | a further signal with [`SecondSignal::Hurry`] | `Stopped` |
//! | any of these, and `Serving` | SIGQUIT | `Closing`; from `Closing` `Stopped` |
//!
//! With [`Policy::handoff`], `Draining` moves sessions to other pods ([`Handoff`]): the notice comes later, and not to all.
//!
//! [`Event::DrainRequested`] begins a drain that no signal began: the first signal in the course of it takes the place of the one that
//! would have begun it, and ends the process after the drain.
//!
//! `Finishing` is skipped where no protected work is in progress, and `Closing` where no resource is registered.
//!
//! Every other event leaves the state as it is.
//!
//! [`Lifecycle::step`] takes the machine by value and returns the next one, with the [`Effect`]s to perform in order.
//!
//! # Invariants
//! - The machine performs no effect, reads no clock and counts no sessions: the caller passes a [`Situation`].
//! - Every event is valid in every state.
//! - A pod that was told to terminate never serves again.
//! - Sessions start in [`State::Serving`] only ([`Admission::Open`]). Admission closes before the other effects of a step
//!   and opens after them.
//! - [`Effect::ForceClose`] never comes before the deadline, nor before protected work is done or `TASK_GRACE` is over, except
//!   after a second signal or SIGQUIT.
//! - The sum of [`Effect::Notify`], [`Effect::NotifyStaying`], [`Effect::CancelNotice`] and [`Effect::EndNotice`] is always [`Lifecycle::notice`].
//! - No session is asked to move before `HANDOFF_DELAY`, and by half of `DRAIN_TIMEOUT` every present one was asked, as far as sessions
//!   can move by then.
//! - [`Effect::Exit`] comes once, and time alone leads every terminated pod to it: the one whose drain was asked for without a
//!   signal to `Drained`, and a signal from there.

mod admission;
mod effect;
mod event;
mod handoff;
mod log_line;
mod machine;
mod notice;
mod policy;
mod readiness;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use admission::Admission;
pub use effect::Effect;
pub use event::{Event, Population, Signal, Situation};
pub use handoff::{Handoff, NoticeScope};
pub use log_line::LogLine;
pub use machine::Lifecycle;
pub use notice::{Notice, NoticeId, Reason};
pub use policy::{HandoffPolicy, MaintenanceReadiness, Policy, ReadinessWhileDraining, SecondSignal};
pub use readiness::Readiness;
pub use state::State;
