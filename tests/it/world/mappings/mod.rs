//! Mappings in the world: the scenes, their judges, and the search over them.

mod claims;
mod judge;
mod rest;
mod saves;
mod scenes;
mod search;
mod story;
mod values;

pub use judge::judge;
pub use scenes::MAPPING_SCENES;
pub use story::story;
pub use values::digest;
