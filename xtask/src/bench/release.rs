//! What is measured is what users run: a release build.

use std::path::PathBuf;

use super::arguments::Arguments;
use super::rustables::PROGRAM;
use crate::program::{cargo, program, run, target};

/// Tells the release build of this program where the release build of the command is.
const COMMAND: &str = "XTASK_BENCH_COMMAND";

/// The command `palisade` to measure; none if this program is not its release build yet.
pub(super) fn command() -> Option<PathBuf> {
    std::env::var_os(COMMAND).map(PathBuf::from)
}

/// Builds both, and measures there.
pub(super) fn build_and_run(arguments: &Arguments) -> Result<(), String> {
    let packages = ["-p", "xtask", "-p", "palisade-cli"];
    run(cargo()
        .args(["build", "--release", "--locked"])
        .args(packages))?;
    let built = target().join("release");
    let opinion = ["-p", "palisade-second-opinion", "--example", "encode"];
    let rustables = run(cargo()
        .args(["build", "--release", "--locked"])
        .args(opinion));
    if let Err(reason) = &rustables {
        println!("SKIPPED: rustables' encoder, which needs libclang: {reason}");
    }
    let mut bench = program(built.join("xtask"));
    bench
        .arg("bench")
        .args(arguments.words()?)
        .env(COMMAND, built.join("palisade"));
    if rustables.is_ok() {
        bench.env(PROGRAM, built.join("examples").join("encode"));
    }
    match bench.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("stopped: {status}")),
        Err(error) => Err(format!("cannot run its release build: {error}")),
    }
}
