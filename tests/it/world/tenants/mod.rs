//! Tenants in the world: what people do around them, the scenes, their judges, and the search over them.

mod acts;
mod judge;
mod scenes;
mod search;

pub use acts::Around;
pub use judge::judge;
pub use scenes::{OTHER, OTHER_TENANT, SECOND, TENANT_SCENES};
