//! In front of any app: the parts of `upstream` and `lastcall` that belong together.

pub mod pages;
