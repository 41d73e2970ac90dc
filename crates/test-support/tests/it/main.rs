//! The tools of the tests themselves: that they see what is wrong, and do what a person does.

#![allow(clippy::unwrap_used, reason = "a test panics where something is missing")]

mod browser;
mod haproxy;
mod kubernetes;
mod nginx;
mod slow_proxy;
