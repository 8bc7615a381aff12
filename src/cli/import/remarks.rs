//! What the manifests do not hold although the tenant has it, for standard error: one paragraph for each cause.

use std::collections::BTreeMap;

use super::text::printable;
use crate::args::Caller;
use crate::graph::{Error, Kind, ServicePrincipal};

/// More are only counted.
const NAMED_MAX: usize = 5;

/// Of what, by cause.
#[derive(Debug, Default)]
pub(super) struct Remarks(BTreeMap<String, Cause>);

#[derive(Debug, Default)]
struct Cause {
    of: Vec<String>,
    /// Graph refused it for want of a permission.
    refused: bool,
}

impl Remarks {
    /// Something could not be read of a service principal.
    pub(super) fn unread(&mut self, principal: &ServicePrincipal, error: &Error) {
        let refused = matches!(error.kind, Kind::Unauthorized | Kind::Forbidden);
        let cause = self.0.entry(printable(&error.to_string())).or_default();
        cause.refused |= refused;
        cause.of.push(name(principal));
    }

    /// A job, or a part of a service principal, has no place.
    pub(super) fn left_out(&mut self, principal: &ServicePrincipal, why: &str) {
        let (of, name) = (&mut self.0.entry(printable(why)).or_default().of, name(principal));
        if of.last() != Some(&name) {
            of.push(name);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, each on a line.
    pub(super) fn lines(&self, caller: Caller) -> Vec<String> {
        self.0.iter().map(|(why, cause)| line(why, cause, caller)).collect()
    }

    /// Prints them on standard error.
    pub(super) fn print(&self, caller: Caller) {
        for line in self.lines(caller) {
            eprintln!("entrain: {line}");
        }
    }
}

/// As people know it, and as they can name it.
fn name(principal: &ServicePrincipal) -> String {
    match &principal.display_name {
        Some(name) => format!("'{}' ({})", printable(name), printable(&principal.id)),
        None => printable(&principal.id),
    }
}

fn line(why: &str, cause: &Cause, caller: Caller) -> String {
    let named: Vec<&str> = cause.of.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = match cause.of.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let remedy = if cause.refused { format!(" {}", permission(caller)) } else { String::new() };
    format!("{}{more}: {why}{remedy}", named.join(", "))
}

/// What those need who read jobs, settings and credentials.
pub(super) fn permission(caller: Caller) -> &'static str {
    match caller {
        Caller::Person => {
            "A person needs the delegated permission Synchronization.Read.All (Synchronization.ReadWrite.All for settings and credentials), and one of the roles Application Administrator, Cloud Application Administrator or Hybrid Identity Administrator."
        }
        Caller::Application => {
            "Grant the application Synchronization.Read.All (Synchronization.ReadWrite.All for settings and credentials) with admin consent, or Application.ReadWrite.OwnedBy and ownership of the service principal."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_is_one_line_however_many_it_concerns() {
        let mut remarks = Remarks::default();
        for number in 0..7 {
            let display_name = Some(format!("App\n{number}"));
            let principal = ServicePrincipal { id: number.to_string(), display_name, app_id: None };
            remarks.left_out(&principal, "why\u{1b}");
        }
        let last = ServicePrincipal { id: "6".to_owned(), display_name: Some("App\n6".to_owned()), app_id: None };
        remarks.left_out(&last, "why\u{1b}");
        remarks.left_out(&ServicePrincipal { id: "x".to_owned(), ..ServicePrincipal::default() }, "other");
        let expected = ["x: other", "'App 0' (0), 'App 1' (1), 'App 2' (2), 'App 3' (3), 'App 4' (4) and 2 more: why "];
        assert_eq!(remarks.lines(Caller::Application), expected);
    }
}
