//! One pod of the fleet: where it is, what it last reported, and how far its data can be relied on.

mod health;
mod inconsistency;
mod miscount;
mod updates;
mod view;

pub use health::{PodHealth, PodState};
pub use inconsistency::Inconsistency;
pub use miscount::Miscount;
pub use view::PodView;
