//! The commands that need no cluster: the same reading, deciding and talking to Graph as in the operator, once, for
//! manifests in files. Nothing here writes to Graph, and all decisions are those of `plan`.

mod manifests;
pub mod plan;
