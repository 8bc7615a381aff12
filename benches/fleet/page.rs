//! Figures, their tables, and the page of the documentation. The explanations stand in a template; a run replaces the tables
//! of its rows and leaves those of other rows as the page has them.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

/// One line of a table.
#[derive(Clone, Debug)]
pub struct Figure {
    what: String,
    /// One for each repeat.
    values: Vec<f64>,
    unit: &'static str,
    goal: String,
}

/// What one row came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub row: &'static str,
    /// Sizes as run.
    pub sizes: String,
    pub figures: Vec<Figure>,
    /// Lines below the table.
    pub notes: Vec<String>,
}

impl Figure {
    /// An empty goal is none.
    pub fn new(what: &str, unit: &'static str, goal: &str, values: Vec<f64>) -> Self {
        Self { what: what.to_owned(), values, unit, goal: goal.to_owned() }
    }

    pub fn one(what: &str, unit: &'static str, goal: &str, value: f64) -> Self {
        Self::new(what, unit, goal, vec![value])
    }

    fn line(&self) -> String {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let shown = |value: Option<&f64>| value.map_or_else(|| "–".to_owned(), |value| number(*value, self.unit));
        let (least, median, most) = (shown(sorted.first()), shown(sorted.get(sorted.len() / 2)), shown(sorted.last()));
        let goal = if self.goal.is_empty() { "–" } else { &self.goal };
        format!("| {} | {least} | {median} | {most} | {goal} |", self.what)
    }
}

fn number(value: f64, unit: &str) -> String {
    // The sum of nothing is a negative zero.
    let value = value + 0.0;
    let digits = match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    if unit.is_empty() { text } else { format!("{text} {unit}") }
}

impl Outcome {
    fn block(&self) -> String {
        let mut text =
            format!("Run as: {}.\n\n| figure | min | median | max | goal |\n|---|---|---|---|---|\n", self.sizes);
        for figure in &self.figures {
            let _ = writeln!(text, "{}", figure.line());
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        let _ = write!(text, "\nMeasured {}.\n", machine());
        text
    }

    /// Prints the table, and puts it into the page.
    pub fn publish(&self, print_only: bool) {
        println!("\n## {}\n\n{}", self.row, self.block());
        if !print_only {
            write_page(&|row| (row == self.row).then(|| self.block()));
        }
    }
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The template, with the block of each row from this run, or else from the page as it is.
fn write_page(fresh: &dyn Fn(&str) -> Option<String>) {
    let page = repository().join("docs/performance.md");
    let template = std::fs::read_to_string(repository().join("benches/fleet/performance.md")).unwrap();
    let old = std::fs::read_to_string(&page).unwrap_or_default();
    let mut text = String::new();
    for line in template.lines() {
        let Some(row) = line.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) else {
            text.extend([line, "\n"]);
            continue;
        };
        let (begin, end) = (format!("<!-- {row} begins -->\n"), format!("<!-- {row} ends -->\n"));
        let kept =
            || old.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(block, _)| block.to_owned());
        let block = fresh(row).map(|block| format!("\n{block}\n")).or_else(kept);
        let block = block.unwrap_or_else(|| format!("\nNot measured yet: `make bench-{}`.\n\n", row.to_lowercase()));
        text.extend([begin, block, end]);
    }
    std::fs::write(page, text).unwrap();
}

/// Where and when: what a ratio does not need and a figure does.
fn machine() -> String {
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory =
        file("/proc/meminfo").lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    let memory = memory.unwrap_or_default() / f64::from(1 << 20);
    let kernel = file("/proc/sys/kernel/osrelease");
    let cpu = file("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cpu = cpu.trim_start_matches([' ', '\t', ':']);
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(repository()).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let changed =
        if git(&["status", "--porcelain", "--", "src", "Cargo.lock"]).is_empty() { "" } else { " with changes" };
    // What is measured is the operator: later commits to the bench or the page are none of it.
    let commit = format!("{}{changed}", git(&["log", "-1", "--format=%h", "--", "src", "Cargo.lock"]));
    #[expect(clippy::disallowed_methods, reason = "the date of a measurement is that of the machine")]
    let date = jiff::Timestamp::now().strftime("%-d %B %Y").to_string();
    let load = file("/proc/loadavg");
    let load = load.split_whitespace().next().unwrap_or_default();
    format!(
        "on {date} at commit {commit}: {cores} cores ({cpu}), {memory:.0} GiB, Linux {}, load average at the end {load}",
        kernel.trim()
    )
}
