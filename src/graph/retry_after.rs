//! `Retry-After`: seconds, seconds with a fraction, or a date.

use std::time::Duration;

use super::transport::header;

/// A longer wait than this is not believed.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// How long an answer asks to wait.
pub(super) fn of<T>(answer: &http::Response<T>) -> Option<Duration> {
    header(answer, "retry-after").and_then(|wait| parse(wait, header(answer, "date")))
}

/// How long to wait. A date is read against the answer's own `Date`, so that our clock does not matter; without that it
/// says nothing.
fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0)
            .then(|| Duration::from_secs_f64(seconds.min(WAIT_MAX.as_secs_f64())));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let from = httpdate::parse_http_date(date?).ok()?;
    Some(until.duration_since(from).unwrap_or(Duration::ZERO).min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood_and_none_is_believed_beyond_an_hour() {
        assert_eq!(parse("10", None), Some(Duration::from_secs(10)));
        assert_eq!(parse(" 2.128 ", None), Some(Duration::from_millis(2128)));
        assert_eq!(parse("1e30", None), Some(WAIT_MAX));
        let date = Some("Tue, 24 Nov 2026 10:00:00 GMT");
        assert_eq!(parse("Tue, 24 Nov 2026 10:00:07 GMT", date), Some(Duration::from_secs(7)));
        assert_eq!(parse("Tue, 24 Nov 2026 09:00:07 GMT", date), Some(Duration::ZERO));
        assert_eq!(parse("Tue, 24 Nov 2026 10:00:07 GMT", None), None);
        for nonsense in ["", "soon", "-1", "NaN", "inf"] {
            assert_eq!(parse(nonsense, None), None, "{nonsense}");
        }
    }
}
