//! What a login is tried with, for people to read.

use jiff::Timestamp;

use crate::api::tenant::CredentialKind;

/// What was presented at a login, refused or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presented {
    pub kind: Option<CredentialKind>,
    pub client_id: Option<String>,
    pub issuer: Option<String>,
    pub subject: Option<String>,
    pub audience: Option<String>,
    /// When the certificate expires.
    pub not_after: Option<Timestamp>,
}
