//! Why a login failed, in the closed list of reasons, and what to do about it.

use super::presented::Presented;
use super::wish::{LogInWith, Wish};
use crate::api::Reason;
use crate::api::tenant::CredentialKind;
use crate::plan::common::trouble::Trouble;

/// The reason behind a code: the login service's (`reference-error-codes` of the identity platform), or that of the place
/// where the credential is read. An unknown code is a refusal of the credential.
pub(super) fn reason(code: &str, presented: Option<&Presented>, trouble: &Trouble) -> Reason {
    if !trouble.is_refusal() {
        return trouble.reason();
    }
    let kind = presented.and_then(|presented| presented.kind);
    match code {
        "SecretNotFound" => Reason::SecretNotFound,
        "SecretKeyMissing" => Reason::SecretKeyMissing,
        "SecretInvalid" => Reason::SecretInvalid,
        "ServiceAccountNotFound" => Reason::ServiceAccountNotFound,
        "TokenRequestForbidden" => Reason::TokenRequestForbidden,
        "ClientIdMissing" => Reason::ClientIdMissing,
        "ClientIdMismatch" => Reason::ClientIdMismatch,
        "CertificateInvalid" => Reason::CertificateInvalid,
        "CertificateExpired" => Reason::CertificateExpired,
        "ImdsIdentityAmbiguous" => Reason::ManagedIdentityAmbiguous,
        "ImdsUnavailable" | "ImdsIdentityNotFound" => Reason::ManagedIdentityUnavailable,
        "AADSTS7000215" => Reason::ClientSecretWrong,
        "AADSTS7000222" => Reason::ClientSecretExpired,
        "AADSTS70021" | "AADSTS700211" | "AADSTS700213" | "AADSTS7002131" | "AADSTS7002138" => {
            Reason::FederatedCredentialMissing
        }
        "AADSTS700212" => Reason::FederatedAudienceMismatch,
        "AADSTS700027" | "AADSTS50012" | "AADSTS50013" | "AADSTS50048" if kind == Some(CredentialKind::Certificate) => {
            Reason::CertificateNotRegistered
        }
        "AADSTS700016" | "AADSTS700011" | "AADSTS70001" | "AADSTS7000112" | "AADSTS7000229" => {
            Reason::ApplicationNotFound
        }
        "AADSTS90002" | "AADSTS900023" => Reason::TenantIdUnknown,
        _ => Reason::CredentialsRejected,
    }
}

/// What a person does about it, with the names of the case.
pub(super) fn remedy(reason: Reason, wish: &Wish, presented: Option<&Presented>) -> String {
    if matches!(reason, Reason::FederatedCredentialMissing | Reason::FederatedAudienceMismatch)
        && let Some(command) = presented.and_then(federated_credential)
    {
        return format!("{} The federated credential that fits: {command}", reason.remedy());
    }
    if reason == Reason::TokenRequestForbidden
        && let LogInWith::WorkloadIdentity { service_account, .. } = &wish.login
    {
        return format!(
            "Let the operator request tokens of this one ServiceAccount: kubectl create role entrain-token --verb=create --resource=serviceaccounts/token --resource-name={service_account}, and bind it to the operator's ServiceAccount, both in the namespace of the ServiceAccount."
        );
    }
    reason.remedy().to_owned()
}

/// The exact command for `az`; the values are those of the token that was presented.
fn federated_credential(presented: &Presented) -> Option<String> {
    let (client, issuer) = (presented.client_id.as_ref()?, presented.issuer.as_ref()?);
    let (subject, audience) = (presented.subject.as_ref()?, presented.audience.as_ref()?);
    Some(format!(
        "az ad app federated-credential create --id {client} --parameters '{{\"name\":\"entrain\",\"issuer\":\"{issuer}\",\"subject\":\"{subject}\",\"audiences\":[\"{audience}\"]}}'"
    ))
}
