//! The user tier: the sample app on top of `lastcall`, its options and its pages.
//!
//! Uses only the public surface of `lastcall`: what the sample app can do, any app can.

pub mod app;
mod assets;
pub mod bounds;
pub mod chat;
pub mod drain_command;
mod export;
pub mod maintenance;
pub mod notes;
pub mod options;
mod pages;
mod upload;
pub mod upstream;
