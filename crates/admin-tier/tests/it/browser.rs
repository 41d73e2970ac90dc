//! The operator's pages in a real browser. One file for each story.

mod drain;
mod operator;
mod presence;
mod sign_in;
