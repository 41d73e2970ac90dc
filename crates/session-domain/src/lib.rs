//! The domain of a user pod: sessions, the registry that holds them, and the lifecycle by which the pod drains.
//!
//! | module | answers |
//! |---|---|
//! | [`lifecycle`] | In which phase is the pod, whom does it admit, is it ready, when must which session end? |
//! | [`registry`] | Which sessions does this pod own, which are present, what has been counted? |
//! | [`shared`] | What may a pod do with a session that another pod owns? |
//! | [`paging`] | Which rows are on a page, and where does the next page begin? |
//!
//! # Invariants
//! - This crate never reads a clock: every function takes the time as a [`Timestamp`].
//! - It never does I/O, spawns nothing and knows no async runtime.
//! - It knows no wire type, no HTTP and no Redis.
//! - Decisions are returned as values; the caller acts on them.
//! - Randomness comes from the caller: ids are made of UUIDs that it passes.

mod departure;
mod ids;
pub mod lifecycle;
mod outcome;
pub mod paging;
mod pod;
pub mod registry;
mod session;
pub mod shared;
pub(crate) mod shared_task;
mod task;
mod time;

pub use departure::Departure;
pub use ids::{ANONYMOUS, MAX_USER_CHARS, PodName, SessionId, TaskId, UserName, normalize_text, visible_line};
pub use outcome::{Outcome, Totals};
pub use pod::{Counters, HandoffState, Phase, PodReport};
pub use session::{MAX_TASK_KIND_CHARS, MAX_TASK_LABEL_CHARS, MAX_TASKS_PER_SESSION, SessionView, TaskView};
pub use task::{InvalidTask, TaskLease, TaskName, TaskOutcome, TaskProgress, TaskTotals};
pub use time::Timestamp;
