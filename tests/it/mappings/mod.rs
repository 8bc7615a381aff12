//! Attribute mappings of jobs on the whole stack: overlays in SyncJobs, the operator as a process, and the schemas that the
//! simulator keeps in the service's form.

mod at_once;
mod changes;
mod deletion;
mod edits;
mod guards;
mod lost;
mod people;
mod plan;
mod restart;
mod round_trips;
mod stand;
mod ten;
