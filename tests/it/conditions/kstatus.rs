//! The real kstatus library, asked in its own process.

use std::io::Write as _;
use std::process::{Command, Stdio};

use bed::tools::{self, Tool};
use serde_json::Value;

/// One word for each object: Current, InProgress, Failed, Terminating, NotFound or Unknown.
pub fn verdicts(objects: &[Value]) -> Vec<String> {
    let program = tools::ensure(Tool::Kstatus).unwrap();
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    // The answers may fill the pipe before the questions are all written.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "kstatus: {}", output.status);
    let verdicts: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(verdicts.len(), objects.len());
    verdicts
}
