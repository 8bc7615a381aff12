//! How the schema of a job differs from that of its template, as an overlay.

use super::THROTTLED_MAX;
use crate::cli::patience::patiently_throttled;
use crate::graph::{Error, Reader};
use crate::overlay::{Imported, import};

/// The differences of one job; none if its schema is that of the template.
pub(super) async fn mappings_of(
    reader: &Reader,
    service_principal: &str,
    job: &str,
    template: &str,
) -> Result<Imported, Error> {
    let of_template = || reader.read_template_schema(service_principal, template);
    let of_template = patiently_throttled(THROTTLED_MAX, of_template).await?;
    let live = patiently_throttled(THROTTLED_MAX, || reader.read_schema(service_principal, job)).await?;
    Ok(import(&of_template, &live))
}
