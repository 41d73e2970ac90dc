//! The view over many pods: what each last reported, which sessions they hold, and how far that can be relied on.
//!
//! [`Fleet`] has one owner. The owner passes in the pods that discovery lists ([`DiscoveredPod`]) and the events of the
//! watches ([`PodEvent`]), and takes a [`FleetView`] for all readers. A view is a snapshot: it never changes. Taking one
//! costs what has changed since the last: views share pods by `Arc` and sessions by 256 shards, and a change copies only its
//! own shard, and only while an older view shares it.
//!
//! | type | answers |
//! |---|---|
//! | [`FleetView`] | Which pods and sessions are there, is the picture complete, is it safe to upgrade? |
//! | [`PodView`] | What did a pod report, and is its data consistent ([`PodHealth`])? |
//! | [`Query`], [`Listing`] | Which sessions are on this page, and on the same page of a later view? |
//! | [`DrainRecord`] | Which sessions were present when a pod drained, and how did each leave? |
//! | [`HandoffProgress`], [`HandoffSummary`] | How many sessions were asked to move, and where did they go? |
//! | [`LostPod`], [`DepartedPod`] | Which pods have left, and what had they counted? |
//!
//! # Invariants
//! - This crate never reads a clock, never does I/O and knows no async runtime: the caller passes times and events.
//! - A pod speaks for itself only. Data that contradicts itself or another pod's is left out or marked as doubtful, and
//!   always reported as an [`Inconsistency`].
//! - No data of a pod panics, grows without bound, or changes what another pod has reported.
//! - Each session id is counted once, however many pods claim it.
//! - The totals over departed pods never decrease.

mod address;
mod archive;
mod bounds;
mod claims;
mod count_check;
mod discovered_pod;
mod filter;
mod fleet;
mod history;
mod ledger;
mod listing;
mod moves;
mod pod;
mod pod_event;
mod query;
mod query_error;
mod rows;
mod session_state;
mod session_tally;
mod sort;
#[cfg(test)]
mod test_fleet;
mod trend;
mod view;

pub use address::Address;
pub use archive::{COUNTERS_RETENTION, DepartedPod, LeaveReason, LostPod};
pub use bounds::{
    CLOCK_TOLERANCE, MAX_DRAIN_RECORDS, MAX_FOLLOWED_SESSIONS, MAX_LIMIT, MAX_SESSIONS, MAX_SESSIONS_PER_POD,
    MAX_TASKS_PER_POD,
};
pub use discovered_pod::{Conditions, DiscoveredPod};
pub use filter::Filter;
pub use fleet::{FINISHED_RETENTION, FORGET_AFTER, Fleet, ForgetError, StoreRecord};
pub use history::{DrainEnd, DrainRecord, DrainedSession, HandoffSummary, MAX_NAMED_SESSIONS};
pub use listing::Listing;
pub use pod::{Inconsistency, Miscount, PodHealth, PodState, PodView};
pub use pod_event::PodEvent;
pub use query::{CursorParams, PageAnchor, Query};
pub use query_error::QueryError;
pub use rows::Row;
pub use session_state::SessionState;
pub use session_tally::SessionTally;
pub use sort::{Sort, SortField};
pub use trend::{TREND_INTERVAL, TrendPoint};
pub use view::{AwaitedWork, FleetView, HandoffProgress, PodWork, Removal, RevisionView};
