//! The user tier in front of any app.

mod tunnels;
