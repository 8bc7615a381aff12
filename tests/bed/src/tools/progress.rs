//! A line on stderr that shows what is being built and for how long.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// On a terminal the line is overwritten in place; in a log each line stays, so there are fewer.
const ON_TERMINAL: Duration = Duration::from_secs(1);
const IN_LOG: Duration = Duration::from_secs(10);

pub(super) struct Progress {
    label: String,
    started: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    pub(super) fn new(label: String) -> Self {
        Self { label, started: Instant::now(), shown: None, terminal: io::stderr().is_terminal() }
    }

    /// Shows the line if it is time for it.
    pub(super) fn tick(&mut self) {
        let (now, every) = (Instant::now(), if self.terminal { ON_TERMINAL } else { IN_LOG });
        if self.shown.is_none_or(|shown| now - shown >= every) {
            self.shown = Some(now);
            write(&line("building", &self.label, now - self.started), self.terminal, false);
        }
    }

    pub(super) fn done(self) {
        write(&line("built", &self.label, self.started.elapsed()), self.terminal, true);
    }

    /// Leaves the line as it stands, so that an error message starts on its own.
    pub(super) fn failed(self) {
        write(&line("not built", &self.label, self.started.elapsed()), self.terminal, true);
    }
}

fn line(verb: &str, label: &str, elapsed: Duration) -> String {
    format!("{verb} {label} … {} s", elapsed.as_secs())
}

fn write(line: &str, terminal: bool, last: bool) {
    let mut out = io::stderr().lock();
    // Progress is a courtesy: a closed stderr must not end the build.
    let _ = match (terminal, last) {
        (true, false) => write!(out, "\r\x1b[K{line}").and_then(|()| out.flush()),
        (true, true) => writeln!(out, "\r\x1b[K{line}"),
        (false, _) => writeln!(out, "{line}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_and_how_long() {
        let text = line("building", "kube-apiserver v1.36.3", Duration::from_millis(95_900));
        assert_eq!(text, "building kube-apiserver v1.36.3 … 95 s");
    }
}
