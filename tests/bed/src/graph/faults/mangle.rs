//! Bodies that a careful client must survive.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::graph::http::reply::{Content, Reply};

#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Mangle {
    /// Enum members that nobody has heard of.
    UnknownEnums,
    /// Members that are new.
    ExtraFields,
    /// Every member of a job but its id is null.
    Nulls,
    /// `"status": {}`
    EmptyStatus,
    /// An empty collection, whatever there is.
    EmptyTemplates,
    TruncatedJson,
    /// An error page of a gateway, with its content type.
    Html,
    /// Good JSON under `text/html`.
    WrongContentType,
    /// A byte order mark before good JSON.
    Bom,
    /// No body at all.
    EmptyBody,
}

impl Mangle {
    pub fn apply(self, reply: Reply) -> Reply {
        let body = reply.body();
        let with = |content| Reply { content, ..reply.clone() };
        match self {
            Self::UnknownEnums | Self::ExtraFields | Self::Nulls | Self::EmptyStatus => {
                with(Content::Json(each(body, |entity| self.change(entity))))
            }
            Self::EmptyTemplates => with(Content::Json(json!({"value": []}))),
            Self::TruncatedJson => {
                let text = body.to_string();
                with(Content::Text(text.chars().take(text.chars().count() / 2).collect())).json_type()
            }
            Self::Html => with(Content::Text(
                "<html><body><h1>Our services aren't available right now</h1></body></html>".to_owned(),
            ))
            .with("content-type", "text/html"),
            Self::WrongContentType => reply.with("content-type", "text/html"),
            Self::Bom => with(Content::Text(format!("\u{feff}{body}"))).json_type(),
            Self::EmptyBody => with(Content::Empty),
        }
    }

    fn change(self, entity: &mut Value) {
        match self {
            Self::UnknownEnums => {
                entity["status"]["code"] = json!("Hibernating");
                entity["schedule"]["state"] = json!("Sleeping");
            }
            Self::ExtraFields => {
                entity["new"] = json!({"a": [1, null]});
                entity["@odata.new"] = json!("x");
            }
            Self::EmptyStatus => entity["status"] = json!({}),
            _ => {
                for (_, member) in entity.as_object_mut().into_iter().flatten().filter(|(name, _)| *name != "id") {
                    *member = Value::Null;
                }
            }
        }
    }
}

/// Changes the entity, or each of a collection.
fn each(mut body: Value, change: impl Fn(&mut Value)) -> Value {
    if let Some(entities) = body.get_mut("value").and_then(Value::as_array_mut) {
        entities.iter_mut().for_each(change);
    } else if body.is_object() {
        change(&mut body);
    }
    body
}

impl Reply {
    fn json_type(self) -> Self {
        self.with("content-type", "application/json")
    }
}
