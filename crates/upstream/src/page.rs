//! Puts the script into pages of the app.

mod insertion;
mod place;
mod reason;

pub use reason::WithoutNotice;
