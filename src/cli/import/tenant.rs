//! What the tenant has: service principals, their jobs, and the settings of those that have any.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};

use super::THROTTLED_MAX;
use super::error::ImportError;
use super::held::template_of;
use super::mappings::mappings_of;
use super::progress::Progress;
use super::remarks::{Remarks, permission};
use crate::args::{Caller, Import};
use crate::cli::caller::{is_about_login, login_remedy};
use crate::cli::patience::patiently_throttled;
use crate::clock::Clock;
use crate::graph::{Error, Kind, Reader, SecretPair, ServicePrincipal};
use crate::overlay::Imported;
use crate::plan::ObservedJob;
use crate::plan::ids::ServicePrincipalId;
use crate::reconcile::observed;

/// Service principals read at the same time; the client has its own limits for requests.
const AT_ONCE: usize = 8;
/// From this many service principals on that Graph fails to answer for, it is Graph that fails.
const UNAVAILABLE_MAX: usize = 20;

const LATER: &str =
    "Nothing was written. Try again later, or name the service principals that are meant with --service-principal.";
const LIST_REMEDY: &str = "Listing the service principals of a tenant needs Application.Read.All: grant it with admin consent, or name those that are meant with --service-principal.";

/// What was found, and what could not be read.
#[derive(Default)]
pub(super) struct Found {
    /// Those with jobs, by id.
    pub principals: Vec<Principal>,
    pub remarks: Remarks,
}

/// A service principal with its jobs.
pub(super) struct Principal {
    pub shown: ServicePrincipal,
    pub jobs: Vec<ObservedJob>,
    /// `None` where they could not be read.
    pub secrets: Option<Vec<SecretPair>>,
    /// By job, if they were asked for; without those that could not be read.
    pub mappings: BTreeMap<String, Imported>,
}

/// A service principal before it is asked for jobs.
struct Asked {
    shown: ServicePrincipal,
    /// It is certain that it exists, so that a job that is not found is none.
    exists: bool,
}

/// What came of the questions about one service principal.
struct Answered {
    shown: ServicePrincipal,
    jobs: Result<Vec<ObservedJob>, Error>,
    secrets: Option<Result<Vec<SecretPair>, Error>>,
    mappings: Vec<(String, Result<Imported, Error>)>,
}

impl Answered {
    fn errors(&self) -> impl Iterator<Item = &Error> {
        let secrets = self.secrets.as_ref().and_then(|read| read.as_ref().err());
        let mappings = self.mappings.iter().filter_map(|(_, read)| read.as_ref().err());
        self.jobs.as_ref().err().into_iter().chain(secrets).chain(mappings)
    }
}

/// Reads all that was asked for. An error ends it only if the next question would meet it as well.
pub(super) async fn read(reader: &Reader, caller: Caller, options: &Import) -> Result<Found, ImportError> {
    let mut found = Found::default();
    let asked = if options.service_principals.is_empty() {
        everything(reader, caller).await?
    } else {
        named(reader, caller, &options.service_principals, &mut found.remarks).await?
    };
    let (mut progress, mut unavailable, mut read) = (Progress::new(asked.len()), 0, 0);
    let questions = asked.into_iter().map(|asked| ask(reader, asked, options.mappings));
    let mut answers = stream::iter(questions).buffer_unordered(AT_ONCE);
    while let Some(answered) = answers.next().await {
        for error in answered.errors() {
            unavailable += usize::from(error.kind == Kind::Unavailable);
            if concerns_all(error) || unavailable > UNAVAILABLE_MAX {
                return Err(ended(error.clone(), caller));
            }
            found.remarks.unread(&answered.shown, error);
        }
        let Answered { shown, jobs, secrets, mappings } = answered;
        progress.read(jobs.as_ref().map_or(0, Vec::len));
        let Ok(jobs) = jobs else { continue };
        read += 1;
        if !jobs.is_empty() {
            let mappings = mappings.into_iter().filter_map(|(job, read)| Some((job, read.ok()?))).collect();
            found.principals.push(Principal { shown, jobs, secrets: secrets.and_then(Result::ok), mappings });
        }
    }
    progress.end();
    if read == 0 && !found.remarks.is_empty() {
        return Err(ImportError::NothingRead(found.remarks.lines(caller).join("\nentrain: ")));
    }
    found.principals.sort_by(|a, b| a.shown.id.cmp(&b.shown.id));
    Ok(found)
}

/// All service principals of the tenant.
async fn everything(reader: &Reader, caller: Caller) -> Result<Vec<Asked>, ImportError> {
    let listed = patiently_throttled(THROTTLED_MAX, || reader.list_service_principals()).await;
    let listed = listed.map_err(|error| match error.kind {
        Kind::Unauthorized | Kind::Forbidden => ImportError::Graph { error, remedy: LIST_REMEDY },
        _ => ended(error, caller),
    })?;
    // A list that is read page by page may show one twice.
    let unique: BTreeMap<String, ServicePrincipal> =
        listed.into_iter().map(|shown| (shown.id.clone(), shown)).collect();
    Ok(unique.into_values().map(|shown| Asked { shown, exists: true }).collect())
}

/// Those that were named, each once. Who may not look one up may yet read its jobs.
async fn named(
    reader: &Reader,
    caller: Caller,
    ids: &[ServicePrincipalId],
    remarks: &mut Remarks,
) -> Result<Vec<Asked>, ImportError> {
    let mut ids: Vec<&str> = ids.iter().map(ServicePrincipalId::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut asked = Vec::with_capacity(ids.len());
    for id in ids {
        let unknown = ServicePrincipal { id: id.to_owned(), ..ServicePrincipal::default() };
        match patiently_throttled(THROTTLED_MAX, || reader.get_service_principal(id)).await {
            Ok(shown) => asked.push(Asked { shown, exists: true }),
            Err(error) if matches!(error.kind, Kind::Unauthorized | Kind::Forbidden) => {
                asked.push(Asked { shown: unknown, exists: false });
            }
            Err(error) if error.kind == Kind::NotFound => remarks.left_out(&unknown, NO_SUCH),
            Err(error) if concerns_all(&error) => return Err(ended(error, caller)),
            Err(error) => remarks.unread(&unknown, &error),
        }
    }
    Ok(asked)
}

const NO_SUCH: &str = "There is no such service principal in this tenant. The id is the object id of the enterprise application, not the client id of the app registration.";

async fn ask(reader: &Reader, Asked { shown, exists }: Asked, with_mappings: bool) -> Answered {
    let id = shown.id.as_str();
    let now = Clock::system().now().wall;
    let jobs = match patiently_throttled(THROTTLED_MAX, || reader.list_jobs(id)).await {
        // Graph answers so where provisioning was never set up.
        Err(error) if error.kind == Kind::NotFound && exists => Ok(Vec::new()),
        answer => answer.map(|jobs| jobs.into_iter().map(|job| observed(job, now)).collect::<Vec<_>>()),
    };
    let (mut secrets, mut mappings) = (None, Vec::new());
    if jobs.as_ref().is_ok_and(|jobs| !jobs.is_empty()) {
        secrets = Some(patiently_throttled(THROTTLED_MAX, || reader.list_secrets(id)).await);
    }
    for job in jobs.iter().flatten().filter(|_| with_mappings) {
        if let Some(template) = template_of(job) {
            mappings.push((job.id.clone(), mappings_of(reader, id, &job.id, template.as_str()).await));
        }
    }
    Answered { shown, jobs, secrets, mappings }
}

/// Whether the next question would not be answered either.
fn concerns_all(error: &Error) -> bool {
    is_about_login(error) || matches!(error.kind, Kind::Throttled | Kind::Network | Kind::Busy)
}

fn ended(error: Error, caller: Caller) -> ImportError {
    let remedy = match error.kind {
        _ if is_about_login(&error) => login_remedy(caller),
        Kind::Unauthorized | Kind::Forbidden => permission(caller),
        _ => LATER,
    };
    ImportError::Graph { error, remedy }
}
