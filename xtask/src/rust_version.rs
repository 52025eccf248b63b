//! Whether the `rust-version` of the workspace is true, as far as one toolchain can tell.
//!
//! Our own code is held to it by clippy's `incompatible_msrv`. Here it is compared with what each
//! dependency asks for.

use serde_json::Value;

use crate::program::cargo;

/// No package that we build may ask for a newer Rust than we promise.
pub(crate) fn check() -> Result<(), String> {
    let output = cargo()
        .args(["metadata", "--locked", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cannot run `cargo metadata`: {error}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("`cargo metadata`: {reason}"));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("`cargo metadata` printed no JSON: {error}"))?;
    let (promised, asked) = versions(&metadata)?;
    let newer: Vec<String> = asked
        .iter()
        .filter(|(_, version)| *version > promised)
        .map(|(name, (major, minor))| format!("{name} asks for {major}.{minor}"))
        .collect();
    let (major, minor) = promised;
    if newer.is_empty() {
        let count = asked.len();
        println!("rust-version {major}.{minor}: none of {count} packages asks for a newer one");
        return Ok(());
    }
    let newer = newer.join(", ");
    Err(format!("rust-version is {major}.{minor}, but {newer}"))
}

type Version = (u64, u64);
/// Packages by name, and the versions that they ask for.
type Asked<'a> = Vec<(&'a str, Version)>;

/// What our packages promise, all the same, and what those ask for that say so.
fn versions(metadata: &Value) -> Result<(Version, Asked<'_>), String> {
    let packages = metadata["packages"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let mut promised = None;
    let mut asked = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let version = package["rust_version"].as_str().and_then(parse);
        // Our own packages come from no registry.
        if package["source"].is_null() {
            let Some(version) = version else {
                return Err(format!("package `{name}` states no rust-version"));
            };
            if *promised.get_or_insert(version) != version {
                return Err(format!("package `{name}` states another rust-version"));
            }
        }
        asked.extend(version.map(|version| (name, version)));
    }
    match promised {
        Some(promised) => Ok((promised, asked)),
        None => Err("no package of the workspace in `cargo metadata`".to_owned()),
    }
}

/// `1.89` and `1.89.0` alike: no crate waits for a point release.
fn parse(text: &str) -> Option<Version> {
    let mut parts = text.split('.').map(str::parse);
    match (parts.next()?, parts.next()) {
        (Ok(major), Some(Ok(minor))) => Some((major, minor)),
        (Ok(major), None) => Some((major, 0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, source: Option<&str>, version: Option<&str>) -> Value {
        serde_json::json!({ "name": name, "source": source, "rust_version": version })
    }

    #[test]
    fn ours_and_theirs() {
        let metadata = serde_json::json!({ "packages": [
            package("ours", None, Some("1.89")),
            package("theirs", Some("registry"), Some("1.70.0")),
            package("silent", Some("registry"), None),
        ] });
        let asked = vec![("ours", (1, 89)), ("theirs", (1, 70))];
        assert_eq!(versions(&metadata), Ok(((1, 89), asked)));
    }

    #[test]
    fn ours_all_state_the_same() {
        let silent = serde_json::json!({ "packages": [package("ours", None, None)] });
        assert!(versions(&silent).is_err());
        let two = serde_json::json!({ "packages": [
            package("a", None, Some("1.89")),
            package("b", None, Some("1.90")),
        ] });
        assert!(versions(&two).is_err());
    }
}
