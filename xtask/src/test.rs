//! Every check there is, in one run.

use std::process::ExitCode;

use crate::program::{cargo, is_root, run, target};
use crate::setup::{self, Need};
use crate::step::{Outcome, Steps};
use crate::{dist, features, rust_version, tidy};

const SECOND_OPINION: &str = "palisade-second-opinion";
const BUILD: &str = "build the command";

pub(crate) fn main() -> ExitCode {
    let mut steps = Steps::default();
    steps.step("setup", set_up);
    // `cargo deny` reads the sources of all crates, also of those that this system does not build.
    steps.step("fetch", || run(cargo().args(["fetch", "--locked"])).into());
    steps.step("format", || {
        run(cargo().args(["fmt", "--all", "--check"])).into()
    });
    steps.step("tidy", || tidy::check().into());
    steps.step("clippy", clippy);
    steps.step("rust-version", || rust_version::check().into());
    steps.step("features", || features::check().into());
    steps.step("unit and doc tests", || {
        run(cargo().args(["test", "--locked", "--no-fail-fast"])).into()
    });
    steps.step("tests of xtask", || {
        run(cargo().args(["test", "--locked", "-p", "xtask"])).into()
    });
    steps.step(BUILD, || {
        run(cargo().args(["build", "--locked", "-p", "palisade-cli"])).into()
    });
    let is_built = steps.passed(BUILD);
    steps.step("kernel tests", || kernel_tests(is_built));
    steps.step("second opinion", second_opinion);
    steps.step("licences, bans and sources", deny);
    steps.step("documentation", documentation);
    steps.step("distribution", || dist::check().into());
    print!("\n{}", steps.summary());
    if steps.failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// A plain user goes on without what is missing, and hears of it.
fn set_up() -> Outcome {
    match setup::run() {
        Err(reason) if !is_root() => Outcome::Skipped(reason),
        result => result.into(),
    }
}

/// All targets of the workspace; every warning is an error.
fn clippy() -> Outcome {
    let mut clippy = cargo();
    clippy.args(["clippy", "--locked", "--workspace", "--all-targets"]);
    if Need::missing().contains(&Need::Libclang) {
        println!("SKIPPED: {SECOND_OPINION} is left out: without libclang it cannot be built");
        clippy.args(["--exclude", SECOND_OPINION]);
    }
    clippy.args(["--", "-D", "warnings", "-D", "clippy::incompatible_msrv"]);
    run(&mut clippy).into()
}

/// In namespaces of their own, which only root can make.
fn kernel_tests(is_built: bool) -> Outcome {
    if !is_built {
        return Outcome::Failed("cannot run: the command was not built".to_owned());
    }
    if !is_root() {
        return Outcome::Skipped("needs root, to make network namespaces".to_owned());
    }
    let binary = target().join("debug").join("palisade");
    let mut tests = cargo();
    tests.args(["test", "--locked", "--no-fail-fast", "-p", "palisade-tests"]);
    run(tests.env("PALISADE_BIN", binary)).into()
}

fn second_opinion() -> Outcome {
    if Need::missing().contains(&Need::Libclang) {
        return Outcome::Skipped("needs libclang: install libclang-dev".to_owned());
    }
    run(cargo().args(["test", "--locked", "-p", SECOND_OPINION])).into()
}

fn deny() -> Outcome {
    if Need::missing().contains(&Need::CargoDeny) {
        return Outcome::Skipped("needs cargo-deny: cargo install --locked cargo-deny".to_owned());
    }
    let checks = ["check", "licenses", "bans", "sources"];
    run(cargo().args(["deny", "--offline"]).args(checks)).into()
}

/// Of the libraries: the command and the crate that it is made from would be written to one place.
fn documentation() -> Outcome {
    let mut doc = cargo();
    doc.args(["doc", "--locked", "--no-deps", "--lib"]);
    run(doc.env("RUSTDOCFLAGS", "-D warnings")).into()
}
