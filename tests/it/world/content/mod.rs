//! Credentials and settings in the world: the scenes, their judges, and the search over them.

mod claims;
mod judge;
mod justified;
mod scenes;
mod search;

pub use judge::judge;
pub use scenes::CONTENT_SCENES;
