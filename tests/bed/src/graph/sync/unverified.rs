//! Routes that only the permission map or other clouds' metadata name.

use super::gate;
use crate::graph::http::call::{Answered, Call};
use crate::graph::http::reply::Reply;
use crate::graph::http::route;
use crate::graph::model::settings::UnverifiedRoutes;

pub fn answer(call: &mut Call<'_>) -> Answered {
    gate(call)?;
    match call.settings().unverified_routes {
        UnverifiedRoutes::NotFound => Err(route::unknown(call.request)),
        UnverifiedRoutes::NoContent => Ok(Reply::no_content()),
    }
}

/// Beta only.
pub fn ping(call: &mut Call<'_>) -> Answered {
    if call.request.segments.first().is_some_and(|version| version == "beta") {
        answer(call)
    } else {
        Err(route::unknown(call.request))
    }
}
