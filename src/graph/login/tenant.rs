//! Which tenant a token is for. A token is opaque to us but for this claim, which every access token of the service has
//! (`access-token-claims-reference` of the Entra documentation), and for the roles, which people read.

use uuid::Uuid;

use super::claims::Claims;

/// The id in lower case, if the text is a GUID.
pub(in crate::graph) fn id(text: &str) -> Option<String> {
    Uuid::try_parse(text).ok().map(|id| id.hyphenated().to_string())
}

/// The claim `tid` of a JWT.
pub(in crate::graph) fn of_token(token: &str) -> Option<String> {
    id(&Claims::of(token)?.text("tid")?)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn the_tenant_of_a_token_is_a_guid_in_lower_case_or_nothing() {
        let token = |payload: &str| format!("e30.{}.x", URL_SAFE_NO_PAD.encode(payload));
        let guid = "7F0C2B1E-5C1D-4D0A-9A53-0D6F4B8A2E11";
        assert_eq!(of_token(&token(&format!(r#"{{"tid":"{guid}"}}"#))), Some(guid.to_lowercase()));
        for wrong in [token("{}"), token(r#"{"tid":"contoso.example"}"#), "opaque".to_owned(), "a.!.b".to_owned()] {
            assert_eq!(of_token(&wrong), None, "{wrong}");
        }
    }
}
