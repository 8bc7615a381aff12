//! Mappings of a job: the only place where a pass holds its schema, for the length of one step. What is decided is decided
//! from lines.

mod compare;
mod desk;
mod kept;
mod look;
mod question;
mod save;
mod trial;

pub(crate) use compare::compare;
pub(crate) use desk::Desk;
pub(super) use look::look;
pub(crate) use question::Question;
pub(super) use save::{release, save};
