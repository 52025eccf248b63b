//! What the library costs a program that embeds it: dependencies, and the time of a first build.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use crate::program::cargo;

const PROGRAM: &str = "
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut firewall = palisade::Firewall::open(&palisade::Options::default())?;
    println!(\"{} networks\", firewall.running()?.len());
    Ok(())
}
";

/// Prints a line for the library of a checkout with all features and with none.
pub(super) fn measure(checkout: &Path) -> Result<(), String> {
    let library = checkout.join("crates/palisade");
    let library = library.canonicalize().map_err(|error| error.to_string())?;
    for defaults in [true, false] {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        write(folder.path(), checkout, &library, defaults).map_err(|error| error.to_string())?;
        let mut tree = cargo();
        tree.args(["tree", "--offline", "-e", "normal", "--prefix", "none"]);
        let tree = tree.current_dir(folder.path()).output();
        let tree = tree.map_err(|error| format!("cannot run `cargo tree`: {error}"))?;
        let tree = String::from_utf8_lossy(&tree.stdout).replace(" (*)", "");
        let mut packages: Vec<&str> = tree.lines().filter(|line| !line.is_empty()).collect();
        packages.sort_unstable();
        packages.dedup();
        let (wall, cpu) = build(folder.path())?;
        println!(
            "embedder, default features {}: {} other packages, built in {:.0} s, {:.0} s of CPU",
            if defaults { "on" } else { "off" },
            packages.len().saturating_sub(1),
            wall.as_secs_f64(),
            cpu.as_secs_f64(),
        );
    }
    Ok(())
}

fn write(folder: &Path, checkout: &Path, library: &Path, defaults: bool) -> std::io::Result<()> {
    let manifest = format!(
        "[package]\nname = \"embedder\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\npalisade = {{ path = {library:?}, default-features = {defaults} }}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::copy(checkout.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::create_dir(folder.join("src"))?;
    fs::write(folder.join("src/main.rs"), PROGRAM)
}

/// Builds optimized, from nothing: how long it took, and the time of all processors together.
fn build(folder: &Path) -> Result<(Duration, Duration), String> {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
        let (user, system) = (usage.user_time(), usage.system_time());
        let seconds = user.tv_sec() + system.tv_sec();
        let rest = user.tv_usec() + system.tv_usec();
        Ok::<_, String>(Duration::from_micros(
            (seconds * 1_000_000 + rest).unsigned_abs(),
        ))
    };
    let (start, before) = (Instant::now(), used()?);
    let mut build = cargo();
    build.args(["build", "--release", "--offline", "--quiet"]);
    build
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"));
    let status = build.status();
    match status.map_err(|error| format!("cannot run `cargo build`: {error}"))? {
        status if status.success() => Ok((start.elapsed(), used()?.saturating_sub(before))),
        status => Err(format!("`cargo build`: {status}")),
    }
}
