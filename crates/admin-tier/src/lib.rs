//! The admin tier: finds the user pods, keeps a link to each, and shows what they say and what is not known.
//!
//! discovery → one link a pod (a gRPC watch: a snapshot, then changes) → the fleet, one owner → pages, JSON and
//! metrics, which read an immutable snapshot of it. A pod that cannot be reached keeps its rows, marked, with the
//! reason; totals say what they leave out. Nothing here changes a pod. Who may look is found out before anything is shown.

mod api;
pub mod app;
mod assets;
mod audit;
mod auth;
mod clock;
mod discovery;
mod export;
mod fleet_task;
mod link;
mod live;
mod maintenance;
mod metrics;
pub mod options;
mod orphans;
mod pages;
mod problem;
mod reason;
mod security;
mod slash;
