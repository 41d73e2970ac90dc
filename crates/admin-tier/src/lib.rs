//! The admin tier: discovers the user pods, keeps a link to each, and shows operators their sessions and drains.
//!
//! Discovery finds the pods. One link a pod holds a gRPC watch: a snapshot, then changes. One task owns the fleet that the
//! links report to. Pages, JSON and metrics read immutable snapshots of the fleet. A pod that cannot be reached keeps its
//! rows, marked, with the reason; totals say what they leave out. Every request apart from probes, metrics, assets and the
//! sign-in has an authenticated operator. This tier never changes a pod.

mod api;
mod assets;
mod audit;
mod auth;
mod clock;
mod discovery;
mod error;
mod export;
mod fleet_task;
mod format;
mod limits;
mod link;
mod live;
mod maintenance;
mod metrics;
mod middleware;
mod operator;
pub mod options;
mod orphans;
mod pages;
mod probes;
mod reason;
mod router;
mod server;
mod session_query;
mod state;
mod trailing_slash;

pub use server::AdminTier;
