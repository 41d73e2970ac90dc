//! The pages for operators. The server renders them whole, so that they work without scripts; with scripts an event stream
//! updates the fragments that change.

mod completeness;
mod drain;
mod error_page;
mod history;
mod layout;
mod panel;
mod relative_time;
mod response;
mod sign_in;
mod users;

pub(crate) use drain::{drain, drain_events};
pub(crate) use error_page::error_page;
pub(crate) use history::{history, history_events};
pub(crate) use panel::{panel, panel_events};
pub(crate) use sign_in::{print_link, show_sign_in, sign_in, sign_out};
pub(crate) use users::{users, users_events};
