//! The table of routes. A new one is a line here and a function where it belongs.

use std::sync::LazyLock;

use super::call::{Answered, Call};
use super::reply::Reply;
use super::request::Request;
use crate::graph::permissions::Access;
use crate::graph::{batch, directory, login, sync};

pub type Handler = fn(&mut Call<'_>) -> Answered;

pub struct Route {
    pub method: &'static str,
    pattern: Vec<&'static str>,
    /// What faults, ledger and call log name it.
    pub operation: &'static str,
    pub access: Access,
    pub handler: Handler,
}

/// The routes below the version root.
static GRAPH: LazyLock<Vec<Route>> =
    LazyLock::new(|| directory::ROUTES.iter().chain(batch::ROUTES).chain(sync::ROUTES).map(Route::from_line).collect());

/// The routes of login and metadata.
static LOGIN: LazyLock<Vec<Route>> = LazyLock::new(|| login::ROUTES.iter().map(Route::from_line).collect());

/// Method, pattern with `{parts}`, operation, access, handler.
pub type Line = (&'static str, &'static str, &'static str, Access, Handler);

impl Route {
    fn from_line(&(method, pattern, operation, access, handler): &Line) -> Self {
        Self { method, pattern: pattern.split('/').collect(), operation, access, handler }
    }

    fn matches(&self, method: &str, segments: &[String]) -> Option<Vec<(&'static str, String)>> {
        if self.method != method || self.pattern.len() != segments.len() {
            return None;
        }
        let mut params = Vec::new();
        for (pattern, segment) in self.pattern.iter().zip(segments) {
            match pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => params.push((name, by_app_id(segment))),
                None if pattern.eq_ignore_ascii_case(segment) => {}
                None => return None,
            }
        }
        Some(params)
    }
}

/// `appId='…'` in parentheses belongs to the collection's segment; the router sees it as a segment of its own.
fn by_app_id(segment: &str) -> String {
    segment
        .strip_prefix("(appId='")
        .and_then(|rest| rest.strip_suffix("')"))
        .map_or_else(|| segment.to_owned(), |app_id| format!("appId={app_id}"))
}

pub struct Found {
    pub route: &'static Route,
    pub params: Vec<(&'static str, String)>,
}

/// The route of a request and what its path names, in any letter case; `None` for an unknown one.
pub fn find(request: &Request) -> Option<Found> {
    let version = request.segments.first().is_some_and(|first| first == "v1.0" || first == "beta");
    let (routes, segments) = if version { (&*GRAPH, &request.segments[1..]) } else { (&*LOGIN, &request.segments[..]) };
    let mut segments = segments.to_vec();
    if let Some(first) = segments.first().cloned()
        && let Some(at) = first.find("(appId=")
    {
        first[..at].clone_into(&mut segments[0]);
        segments.insert(1, first[at..].to_owned());
    }
    routes.iter().find_map(|route| {
        let params = route.matches(request.method.as_str(), &segments)?;
        Some(Found { route, params })
    })
}

/// Every name that a fault can give.
pub fn operations() -> impl Iterator<Item = &'static str> {
    GRAPH.iter().chain(&*LOGIN).map(|route| route.operation).chain([UNKNOWN_READ, UNKNOWN_WRITE])
}

pub const UNKNOWN_READ: &str = "unknownRead";
pub const UNKNOWN_WRITE: &str = "unknownWrite";

/// The answer for a path that is no route. Below `/synchronization/` the back end's own error leaks through.
pub fn unknown(request: &Request) -> Reply {
    if request.segments.iter().any(|segment| segment.eq_ignore_ascii_case("synchronization")) {
        let path = request.segments.iter().skip(1).cloned().collect::<Vec<_>>().join("/");
        let uri = format!("https://syncfabric.example.test/api/{path}?api-version=2.0");
        let message = format!("No HTTP resource was found that matches the request URI '{uri}'.");
        return Reply::error(404, "UnknownError", &serde_json::json!({"Message": message}).to_string());
    }
    let last = request.segments.last().map(String::as_str).unwrap_or_default();
    Reply::bad_request(&format!("Resource not found for the segment '{last}'."))
}
