//! A real Prometheus: what its checker says of rules and metrics pages, and what it makes of a drain.

mod drain;
mod picture;
mod promtool;
mod server;
