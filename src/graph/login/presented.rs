//! What was presented at a login, and what came of it: both without a secret, for people to read.

use jiff::Timestamp;

/// A login that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// Id of the tenant that the token is for, in lower case, if the token names it.
    pub tenant: Option<String>,
    /// The roles that the token grants, sorted.
    pub roles: Vec<String>,
    /// When the token was issued, by the clock of this process.
    pub obtained: Timestamp,
}

/// With which kind of credential a login was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentedKind {
    ClientSecret,
    WorkloadIdentity,
    Certificate,
    ManagedIdentity,
    Person,
}

/// What was presented at a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    pub client_id: Option<String>,
    pub kind: PresentedKind,
    /// Of the federated token, as are the next two.
    pub issuer: Option<String>,
    pub subject: Option<String>,
    pub audience: Option<String>,
    /// When the certificate expires.
    pub not_after: Option<Timestamp>,
}

impl Presented {
    pub(super) fn new(kind: PresentedKind, client_id: Option<&str>) -> Self {
        let client_id = client_id.map(str::to_owned);
        Self { client_id, kind, issuer: None, subject: None, audience: None, not_after: None }
    }
}
