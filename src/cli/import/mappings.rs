//! How the schema of a job differs from that of its template, as an overlay.

use crate::cli::patience::very_patiently;
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
    let of_template = very_patiently(of_template).await?;
    let live = very_patiently(|| reader.read_schema(service_principal, job)).await?;
    Ok(import(&of_template, &live))
}
