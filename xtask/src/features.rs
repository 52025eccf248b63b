//! Each combination of the libraries' features builds, and without features an embedder compiles no
//! formats and no iptables.

use crate::program::{cargo, run};

/// Packages, and the features of which every combination is checked. `palisade` hands those of
/// formats to `palisade-definition`.
const PACKAGES: [(&str, &[&str]); 2] = [
    (
        "palisade",
        &["xml", "toml", "json", "iptables", "firewalld"],
    ),
    ("palisade-definition", &[]),
];

/// Packages that `palisade` without features must not pull in.
const OPTIONAL: [&str; 6] = [
    "quick-xml",
    "toml",
    "clap",
    "palisade-definition",
    "palisade-iptables",
    "zbus",
];

/// Checks every combination, and the dependencies of none.
pub(crate) fn check() -> Result<(), String> {
    check_dependencies()?;
    for (package, features) in PACKAGES {
        for combination in combinations(features) {
            let mut check = cargo();
            check.args(["check", "--locked", "--quiet", "-p", package]);
            check.args(["--no-default-features", "--features", &combination]);
            run(&mut check)?;
        }
    }
    Ok(())
}

/// Each combination, as cargo reads it.
fn combinations(features: &[&str]) -> Vec<String> {
    let mut all = vec![String::new()];
    for feature in features {
        let with: Vec<String> = all.iter().map(|each| format!("{each} {feature}")).collect();
        all.extend(with);
    }
    all
}

fn check_dependencies() -> Result<(), String> {
    let mut tree = cargo();
    tree.args([
        "tree",
        "--locked",
        "-p",
        "palisade",
        "--no-default-features",
    ]);
    tree.args(["-e", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = tree
        .output()
        .map_err(|error| format!("cannot run `cargo tree`: {error}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("`cargo tree`: {reason}"));
    }
    let found = unwanted(&String::from_utf8_lossy(&output.stdout));
    if found.is_empty() {
        Ok(())
    } else {
        let found = found.join(", ");
        Err(format!("palisade without features compiles {found}"))
    }
}

/// The packages of [`OPTIONAL`] in the output of `cargo tree`.
fn unwanted(tree: &str) -> Vec<&'static str> {
    let is_in = |package: &&str| {
        let mut names = tree.lines().filter_map(|line| line.split(' ').next());
        names.any(|name| name == *package)
    };
    OPTIONAL.into_iter().filter(is_in).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_all_subsets() {
        assert_eq!(combinations(&["a", "b"]), ["", " a", " b", " a b"]);
    }

    #[test]
    fn packages_are_matched_by_their_whole_name() {
        let tree = "palisade v0.1.0 (/x)\ntoml_writer v1.2.0\nserde v1.0.0\n";
        assert!(unwanted(tree).is_empty());
        let tree = "palisade v0.1.0 (/x)\ntoml v1.2.1+spec-1.1.0\npalisade-iptables v0.1.0 (/y)\n";
        assert_eq!(unwanted(tree), ["toml", "palisade-iptables"]);
    }
}
