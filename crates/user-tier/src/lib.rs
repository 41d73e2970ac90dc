//! The user tier: the sample app on top of `lastcall`, its options and its pages.
//!
//! Uses nothing of `lastcall` but its public surface: whatever the sample app can do, yours can.

pub mod app;
mod assets;
pub mod bounds;
pub mod maintenance;
pub mod options;
mod pages;
