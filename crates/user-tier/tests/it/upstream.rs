//! The user tier in front of an app.

mod pages;
