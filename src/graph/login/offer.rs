//! What one login is made with: the material, what people may read of it, and a fingerprint that shows whether it is
//! another one than before.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use secrecy::ExposeSecret;

use super::certificate;
use super::claims::Claims;
use super::presented::{Presented, PresentedKind};
use super::source::Material;

/// The tools that log a person in are programs that take seconds to begin.
const TOOLS_TIMEOUT_MIN: Duration = Duration::from_secs(30);

/// SHA-256 of all that identifies the material.
pub(in crate::graph) type Fingerprint = [u8; 32];

pub(in crate::graph) struct Offer {
    pub material: Material,
    pub presented: Presented,
    pub fingerprint: Fingerprint,
}

impl Offer {
    pub fn new(material: Material) -> Self {
        let (presented, fingerprint) = (presented(&material), fingerprint(&material));
        Self { material, presented, fingerprint }
    }

    /// How long a login with it may take.
    pub fn limit(&self, usual: Duration) -> Duration {
        match self.material {
            Material::Person => usual.max(TOOLS_TIMEOUT_MIN),
            Material::ClientSecret { .. }
            | Material::Assertion { .. }
            | Material::Certificate { .. }
            | Material::ManagedIdentity { .. } => usual,
        }
    }
}

fn presented(material: &Material) -> Presented {
    match material {
        Material::ClientSecret { client_id, .. } => Presented::new(PresentedKind::ClientSecret, Some(client_id)),
        Material::Assertion { client_id, token } => {
            let presented = Presented::new(PresentedKind::WorkloadIdentity, Some(client_id));
            let claims = Claims::of(token.expose_secret());
            let text = |name| claims.as_ref().and_then(|claims| claims.text(name));
            let audience = claims.as_ref().and_then(Claims::audience);
            Presented { issuer: text("iss"), subject: text("sub"), audience, ..presented }
        }
        Material::Certificate { client_id, certificate, .. } => {
            let presented = Presented::new(PresentedKind::Certificate, Some(client_id));
            Presented { not_after: certificate::not_after(certificate), ..presented }
        }
        Material::ManagedIdentity { client_id } => Presented::new(PresentedKind::ManagedIdentity, client_id.as_deref()),
        Material::Person => Presented::new(PresentedKind::Person, None),
    }
}

/// A federated token is a new one each time; whom it speaks of is what counts.
fn fingerprint(material: &Material) -> Fingerprint {
    let mut context = Context::new(&SHA256);
    let mut add = |part: &[u8]| {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    };
    match material {
        Material::ClientSecret { client_id, secret } => {
            [b"secret", client_id.as_bytes(), secret.expose_secret().as_bytes()].into_iter().for_each(&mut add);
        }
        Material::Assertion { client_id, token } => {
            let claims = Claims::of(token.expose_secret());
            let text = |name| claims.as_ref().and_then(|claims| claims.text(name)).unwrap_or_default();
            [b"federated", client_id.as_bytes(), text("iss").as_bytes(), text("sub").as_bytes()]
                .into_iter()
                .for_each(&mut add);
        }
        Material::Certificate { client_id, certificate, key } => {
            [b"certificate", client_id.as_bytes(), certificate, key.expose_secret().as_bytes()]
                .into_iter()
                .for_each(&mut add);
        }
        Material::ManagedIdentity { client_id } => {
            [b"managed", client_id.as_deref().unwrap_or_default().as_bytes()].into_iter().for_each(&mut add);
        }
        Material::Person => add(b"person"),
    }
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}
