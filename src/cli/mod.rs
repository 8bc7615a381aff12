//! The commands that need no cluster: the same reading, deciding and talking to Graph as in the operator, once, from or
//! to manifests in files. Nothing here writes to Graph, and all decisions are those of `plan`.

mod caller;
pub mod import;
mod manifests;
mod patience;
pub mod plan;
