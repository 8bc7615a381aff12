//! The commands that need no cluster: the same reading, deciding and talking to Graph as in the operator, once, for
//! manifests in files. Nothing here writes to Graph, and nothing is decided beside `plan`.

mod manifests;
pub mod plan;
