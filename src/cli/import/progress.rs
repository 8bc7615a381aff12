//! How far the reading is, on standard error: one line that changes on a terminal, else a line now and then.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use tokio::time::Instant;

const ON_TERMINAL: Duration = Duration::from_millis(100);
const IN_A_LOG: Duration = Duration::from_secs(10);

/// Counts what was read of how many.
pub(super) struct Progress {
    total: usize,
    read: usize,
    jobs: usize,
    terminal: bool,
    printed: Instant,
}

impl Progress {
    /// Nothing was read yet.
    pub(super) fn new(total: usize) -> Self {
        Self { total, read: 0, jobs: 0, terminal: std::io::stderr().is_terminal(), printed: Instant::now() }
    }

    /// One service principal more was read, with so many jobs.
    pub(super) fn read(&mut self, jobs: usize) {
        self.read += 1;
        self.jobs += jobs;
        let every = if self.terminal { ON_TERMINAL } else { IN_A_LOG };
        if self.printed.elapsed() >= every {
            self.printed = Instant::now();
            self.print(if self.terminal { "" } else { "\n" });
        }
    }

    /// The last line, which stays.
    pub(super) fn end(&self) {
        self.print("\n");
    }

    fn print(&self, end: &str) {
        let begin = if self.terminal { "\r\u{1b}[2K" } else { "" };
        let line = line(self.read, self.total, self.jobs);
        let mut stderr = std::io::stderr().lock();
        // Whether somebody reads it does not matter.
        let _ = write!(stderr, "{begin}{line}{end}").and_then(|()| stderr.flush());
    }
}

fn line(read: usize, total: usize, jobs: usize) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    format!("read {read} of {total} service principal{}, {jobs} job{}", plural(total), plural(jobs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_several() {
        assert_eq!(line(120, 3400, 12), "read 120 of 3400 service principals, 12 jobs");
        assert_eq!(line(1, 1, 1), "read 1 of 1 service principal, 1 job");
        assert_eq!(line(0, 0, 0), "read 0 of 0 service principals, 0 jobs");
    }
}
