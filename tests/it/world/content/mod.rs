//! Credentials and settings in the world: the scenes, their judges, and the search over them.

mod claims;
mod judge;
mod justified;
mod scenes;
mod search;
#[cfg(test)]
mod tests;

pub use judge::{judge, rotations_are_noticed};
pub use scenes::CONTENT_SCENES;
