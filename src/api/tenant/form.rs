//! Forms that strings of the spec must have, as schemas: the rule stands at the value itself, so that a refusal names the
//! field or the item of the list.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

macro_rules! form {
    ($(#[doc = $doc:literal])+ $name:ident: $least:literal to $most:literal, $rule:literal, $message:literal) => {
        $(#[doc = $doc])+
        pub struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "minLength": $least,
                    "maxLength": $most,
                    "x-kubernetes-validations": [{"rule": $rule, "message": $message}],
                })
            }
        }
    };
}

pub(in crate::api) use form;

form! {
    /// A GUID in the form in which Entra ID prints it.
    Guid: 1 to 64,
    "self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')",
    "the id must be a GUID such as '2d6f9f0a-3b41-4c7e-8f52-6a1b0c9d8e7f'"
}

form! {
    /// The name of an object.
    ObjectName: 1 to 253,
    "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    "the name must be one that an object can have: lower-case letters, digits, dashes and dots, with a letter or digit at both ends; an object of another namespace cannot be named"
}

form! {
    /// The name of an object that is also a label value: a tenant or a namespace.
    ShortName: 1 to 63,
    "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
    "the name must be one that an object can have: lower-case letters, digits, dashes and dots, with a letter or digit at both ends"
}

form! {
    /// A key of a Secret.
    KeyOfSecret: 1 to 253,
    "self.matches('^[-._a-zA-Z0-9]+$')",
    "the key must be one that a Secret can have: letters, digits, dashes, dots and underscores"
}

form! {
    /// The value of a label.
    LabelValue: 0 to 63,
    "self.matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')",
    "the value must be one that a label can have: letters, digits, dashes, dots and underscores, with a letter or digit at both ends"
}
