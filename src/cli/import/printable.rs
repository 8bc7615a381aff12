//! What the tenant calls something, as one line that people read.

/// One line: what the tenant calls something must neither end a comment nor steer a terminal.
pub(super) fn printable(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let bends = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !bends(*c)).map(|c| if breaks(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_a_line_or_turns_its_direction() {
        assert_eq!(printable("a\r\nb\u{2028}c\u{85}d\u{1b}e"), "a  b c d e");
        assert_eq!(printable("a\u{202e}b\u{2066}c"), "abc");
        assert_eq!(printable("Größe – 日本"), "Größe – 日本");
    }
}
