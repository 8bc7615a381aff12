//! The Graph simulator in a process of its own, and what it was asked.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bed::graph::{Control, Ready};
use serde_json::{Value, json};

pub struct Graph {
    process: Child,
    pub ready: Ready,
    pub control: Control,
}

/// One request to Graph, without those to login.
#[derive(Clone, Debug)]
pub struct Asked {
    pub operation: String,
    pub method: String,
    pub path: String,
    pub principal: String,
    pub tenant: String,
    pub request: String,
    /// Seconds since the epoch.
    pub at: f64,
}

impl Graph {
    pub fn start(bed: &Path, seed: &Path) -> Self {
        let mut command = Command::new(bed);
        command.args(["graph", "--until-stdin-closes", "--seed"]).arg(seed);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Ready = serde_json::from_str(&line).expect("the simulator ended before it was ready");
        let control = Control::new(&ready).unwrap();
        Self { process, ready, control }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Every request takes so many milliseconds, and up to the jitter more or less.
    pub async fn slow(&self, millis: u64, jitter: u64) {
        let action = json!({"delay": {"millis": millis, "jitterMillis": jitter}});
        self.control.put_fault(&json!({"operation": "*", "action": action})).await.unwrap();
    }

    /// Forgets what was asked and done.
    pub async fn forget(&self) {
        for record in ["calls", "ledger"] {
            self.control.raw("DELETE", record, None).await.unwrap();
        }
    }

    pub async fn asked(&self) -> Vec<Asked> {
        let all = self.control.calls().await.unwrap();
        all["value"].as_array().unwrap().iter().filter(|call| call["operation"] != "token").map(asked).collect()
    }

    /// Jobs that were made a second time for one service principal and template.
    pub async fn doubled(&self) -> usize {
        let mut made: Vec<String> = self
            .control
            .effects("createJob")
            .await
            .unwrap()
            .iter()
            .map(|effect| format!("{}/{}", effect["servicePrincipalId"], effect["templateId"]))
            .collect();
        let all = made.len();
        made.sort_unstable();
        made.dedup();
        all - made.len()
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn asked(call: &Value) -> Asked {
    let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
    let at: jiff::Timestamp = call["time"].as_str().unwrap().parse().unwrap();
    Asked {
        operation: text("operation"),
        method: text("method"),
        path: text("path"),
        principal: text("servicePrincipalId"),
        tenant: text("tenantId"),
        request: text("requestId"),
        at: at.as_duration().as_secs_f64(),
    }
}
