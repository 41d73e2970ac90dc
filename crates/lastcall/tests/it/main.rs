//! The library from outside: the example as a process of its own, with a page that is somebody else's.

#![allow(clippy::unwrap_used, reason = "a test panics where something is missing")]

mod adopted;
mod browser;
mod cross_site;
