//! The history of drains: which sessions were present, and how and when each left. The last
//! [`MAX_DRAIN_RECORDS`](crate::MAX_DRAIN_RECORDS) are kept.
//!
//! A drain is the countdown of one pod, for a shutdown or for maintenance. A shutdown that overtakes a maintenance is the
//! same drain. Its record begins when the pod reports the countdown, or when the pod is first seen during one.

mod countdown;
mod drains;
mod handoff;
mod progress;
mod record;
#[cfg(test)]
mod sums;
mod tally;
#[cfg(test)]
mod tests;

pub(crate) use drains::{Drains, History};
pub use handoff::HandoffSummary;
pub use record::{DrainEnd, DrainRecord, DrainedSession, MAX_NAMED_SESSIONS};
