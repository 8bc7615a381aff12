//! What an answer says about the limits: `x-ms-throttle-*` and `x-ms-resource-unit`.

use super::super::transport::header;

/// Dearer than this is no answer's call: the dearest request that is documented costs 5.
const UNITS_MAX: f64 = 20.0;
/// Graph gives values up to 1.8.
const USAGE_MAX: f64 = 2.0;

/// What was counted, where an answer says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graph) enum Counted {
    Units,
    Writes,
    Requests,
}

/// What an answer says about the limits. Every part of it may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::graph) struct Reported {
    /// How many resource units the request cost.
    pub units: Option<f64>,
    /// Which part of the limit is used; it is given from 0.8 on.
    pub usage: Option<f64>,
    /// The limit is that of the application over all tenants.
    pub application: bool,
    /// Which limit was exceeded.
    pub exceeded: Option<Counted>,
}

impl Reported {
    pub fn by<T>(answer: &http::Response<T>) -> Self {
        let scope = header(answer, "x-ms-throttle-scope").unwrap_or_default();
        let mut scope = scope.split('/').map(str::trim);
        let (whose, which) = (scope.next().unwrap_or_default(), scope.next().unwrap_or_default());
        let information = header(answer, "x-ms-throttle-information").unwrap_or_default().trim();
        Self {
            units: number(answer, "x-ms-resource-unit").map(|units| units.min(UNITS_MAX)),
            usage: number(answer, "x-ms-throttle-limit-percentage").map(|usage| usage.min(USAGE_MAX)),
            application: whose.eq_ignore_ascii_case("Application"),
            exceeded: exceeded(information, which),
        }
    }
}

/// The reason names the limit more closely than the scope does.
fn exceeded(information: &str, which: &str) -> Option<Counted> {
    let is = |text: &str, name: &str| text.eq_ignore_ascii_case(name);
    if is(information, "WriteLimitExceeded") || information.is_empty() && is(which, "Write") {
        Some(Counted::Writes)
    } else if is(information, "ResourceUnitLimitExceeded") {
        Some(Counted::Units)
    } else if is(information, "CPULimitExceeded") {
        Some(Counted::Requests)
    } else if is(which, "Read") || is(which, "ReadWrite") {
        Some(Counted::Units)
    } else {
        is(which, "Write").then_some(Counted::Writes)
    }
}

fn number<T>(answer: &http::Response<T>, name: &str) -> Option<f64> {
    header(answer, name)?.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(headers: &[(&str, &str)]) -> Reported {
        let answer = http::Response::builder();
        Reported::by(
            &headers.iter().fold(answer, |answer, (name, value)| answer.header(*name, *value)).body(()).unwrap(),
        )
    }

    #[test]
    fn every_header_may_be_missing_or_be_nonsense() {
        assert_eq!(reported(&[]), Reported::default());
        for nonsense in ["", "many", "-1", "NaN", "inf"] {
            let headers = [("x-ms-resource-unit", nonsense), ("x-ms-throttle-limit-percentage", nonsense)];
            assert_eq!(reported(&headers), Reported::default(), "{nonsense}");
        }
        let large = reported(&[("x-ms-resource-unit", "1e9"), ("x-ms-throttle-limit-percentage", "100")]);
        assert_eq!((large.units, large.usage), (Some(UNITS_MAX), Some(USAGE_MAX)));
    }

    #[test]
    fn scope_and_reason_name_whose_limit_and_which() {
        for (scope, information, application, exceeded) in [
            ("Tenant_Application/Write/app/tenant", "WriteLimitExceeded", false, Some(Counted::Writes)),
            ("Tenant_Application/ReadWrite/app/tenant", "ResourceUnitLimitExceeded", false, Some(Counted::Units)),
            ("Tenant/Write/app/tenant", "", false, Some(Counted::Writes)),
            ("Application/ReadWrite/app/tenant", "CPULimitExceeded", true, Some(Counted::Requests)),
            ("Application/Read/app", "", true, Some(Counted::Units)),
            ("Application", "", true, None),
            ("Tenant_Application/Write", "Unheard", false, Some(Counted::Writes)),
            ("Else/Else", "Else", false, None),
        ] {
            let reported = reported(&[("x-ms-throttle-scope", scope), ("x-ms-throttle-information", information)]);
            assert_eq!((reported.application, reported.exceeded), (application, exceeded), "{scope} {information}");
        }
    }
}
