//! `entrain import`: SyncJobs for the jobs that a tenant has. Applied as they are, they change nothing.

mod credentials;
mod error;
mod held;
mod manifest;
mod mappings;
mod names;
mod output;
mod progress;
mod remarks;
mod settings;
mod tenant;
mod text;

use std::process::ExitCode;
use std::time::Duration;

use super::caller::connect;
use crate::args::Import;
use crate::graph::{Options, Priority};

pub use self::error::ImportError;

/// The exit code when something could not be read or written. That of an error is 1, as everywhere.
const INCOMPLETE: u8 = 2;
/// How often each question follows a request to wait: a tenant has thousands of service principals.
const THROTTLED_MAX: usize = 20;
/// The longest time of a list: that of all service principals has a hundred pages in a large tenant.
const LIST_TIMEOUT: Duration = Duration::from_secs(600);

/// Reads the tenant, and writes what it has. Nothing is written before everything is read.
pub async fn run(options: &Import) -> Result<ExitCode, ImportError> {
    output::check(options)?;
    let patient = |usual| Options { list_timeout: LIST_TIMEOUT, ..usual };
    let (reader, caller) = connect(&options.connection, options.caller, patient)?;
    // Others who use the same application go first.
    let found = tenant::read(&reader.with_priority(Priority::Poll), caller, options).await?;
    let mut remarks = found.remarks;
    let documents = manifest::documents(&found.principals, options, &mut remarks);
    output::write(&documents, options)?;
    let complete = remarks.is_empty();
    remarks.print(caller);
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}
