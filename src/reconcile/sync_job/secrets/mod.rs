//! Credentials and settings of the connector: the only place where a pass holds values of them. What is decided is decided
//! from tags.

mod offline;
mod read;
mod save;
mod vault;
mod wanted;

pub(crate) use offline::Offline;
pub(super) use read::live;
pub(super) use save::{restart, save, test};
pub(in crate::reconcile) use vault::Vault;
pub(super) use wanted::wanted;
