//! A pair of a key and a value, which is never printed.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::super::lenient;

/// One pair of the set.
#[derive(Clone, Deserialize)]
pub struct SecretPair {
    #[serde(deserialize_with = "lenient::id")]
    pub key: String,
    /// As it is sent, or as Graph shows it: a mask for a secret. Empty where Graph shows no text.
    #[serde(default, deserialize_with = "secret")]
    pub value: SecretString,
}

impl fmt::Debug for SecretPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretPair").field("key", &self.key).finish_non_exhaustive()
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    lenient::text(from).map(|text| text.unwrap_or_default().into())
}

/// What a test of credentials is about.
#[derive(Clone, Copy, Debug)]
pub enum Tested<'a> {
    /// What Graph has stored.
    Saved,
    /// These, which are not stored.
    Supplied(&'a [SecretPair]),
}
