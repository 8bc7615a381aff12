//! The overlay: what a SyncJob declares of a schema is merged into it, and everything else stays as it is. Pure: without I/O
//! and clock, from a document to a document.
//!
//! [`expressions`] lists what the service must parse, [`merge`] merges and gives back, [`import`] makes an overlay of what a
//! job has. The caller saves [`Merged::memory`] first and [`Merged::document`] second, and the latter only
//! if [`Merged::changes`] is not empty.

mod apply;
mod ask;
mod check;
mod differences;
mod document;
mod expression;
mod finding;
mod fresh;
mod give_back;
mod import;
mod line;
mod meaning;
mod memory;
mod merge;
mod merged;
mod names;
mod objects;
mod path;
mod resolve;
mod risk;
#[cfg(test)]
mod tests;
mod wanted;
mod wish_hash;
mod work;

pub use ask::expressions;
pub use expression::{Expressions, Parsed};
pub use finding::{Finding, FindingKind};
pub use import::{Imported, import};
pub use line::{Changed, Line, confirmation};
pub use memory::Memory;
pub use merge::merge;
pub use merged::{Drift, Merged, Overlay};
pub use path::{Member, Path, Subject};
pub use risk::Risk;
pub use wish_hash::wish_hash;
