//! Where the figures come from.

use std::fmt;

use serde_json::{Value, json};

use crate::program::{find, program};

/// What of a machine matters to the figures.
#[derive(Debug)]
pub(super) struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    nft: String,
    /// The load of the last minute: other work makes the spread wider.
    load: String,
}

impl Machine {
    /// This one.
    pub(super) fn here() -> Result<Self, String> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        let processor = model.and_then(|line| line.split_once(": "));
        let load = read("/proc/loadavg");
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor
                .map_or("an unknown processor", |(_, model)| model)
                .to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            nft: nft_version()?,
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "cores": self.cores,
            "processor": self.processor,
            "kernel": self.kernel,
            "nft": self.nft,
            "load": self.load,
        })
    }
}

fn nft_version() -> Result<String, String> {
    let nft = find("nft").ok_or("nft is not installed: cargo xtask setup")?;
    let output = program(nft)
        .arg("--version")
        .output()
        .map_err(|error| format!("cannot run nft: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim().trim_start_matches("nftables ").to_owned())
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cores,
            processor,
            kernel,
            nft,
            load,
        } = self;
        write!(
            f,
            "{cores} cores ({processor}), Linux {kernel}, nft {nft}, load {load}"
        )
    }
}
