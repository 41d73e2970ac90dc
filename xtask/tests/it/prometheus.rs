//! A real Prometheus: its checks of rules and metrics pages, and its data of a drain.

mod drain;
mod picture;
mod promtool;
mod server;
