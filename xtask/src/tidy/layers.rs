//! Which crate may use which other one. Tests may use all.

use std::path::Path;

use super::crates::Crates;
use super::files::Files;
use super::finding::Finding;
use super::package::{Package, TargetKind};

/// Each library, and which of the workspace's others it may use. Who is not named may use all.
const LAYERS: [(&str, &[&str]); 7] = [
    ("palisade-core", &[]),
    ("palisade-netlink", &["palisade-core"]),
    ("palisade-nft", &["palisade-core", "palisade-netlink"]),
    ("palisade-iptables", &["palisade-core"]),
    ("palisade-definition", &["palisade-core"]),
    (
        "palisade",
        &[
            "palisade-core",
            "palisade-netlink",
            "palisade-nft",
            "palisade-iptables",
            "palisade-definition",
        ],
    ),
    (
        "palisade-inspect",
        &[
            "palisade-core",
            "palisade-netlink",
            "palisade-nft",
            "palisade-iptables",
            "palisade-definition",
            "palisade",
        ],
    ),
];

/// Lines of manifests and sources that use a crate against the order.
pub(super) fn forbidden(files: &Files, packages: &[Package], crates: &Crates) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |path: &Path, line: usize, from: &str, to: &str| {
        let source = files.line(path, line);
        found.push(Finding {
            name: format!("layers: {from} may not use {to}"),
            places: vec![format!("{}:{line}: {source}", path.display())],
        });
    };
    let is_forbidden = |from: &str, to: &str| {
        let allowed = LAYERS.iter().find(|(name, _)| *name == from);
        let is_ours = packages.iter().any(|package| package.name == to);
        is_ours && from != to && allowed.is_some_and(|(_, allowed)| !allowed.contains(&to))
    };
    for package in packages {
        for dependency in package.dependencies.iter().filter(|it| !it.is_for_tests) {
            if is_forbidden(&package.name, &dependency.name) {
                let (file, line) = (&package.manifest, dependency.line);
                add(file, line, &package.name, &dependency.name);
            }
        }
    }
    let modules = crates
        .modules()
        .filter(|(id, module)| crates.get(id.0).kind != TargetKind::Test && !module.is_test);
    for (id, module) in modules {
        let (from, contents) = (&crates.get(id.0).package, &module.contents);
        let imports = contents.imports.iter().filter(|it| !it.is_test);
        let imports = imports.map(|it| (&it.segments, it.line));
        let paths = contents.paths.iter().filter(|it| !it.is_test);
        let paths = paths.map(|it| (&it.segments, it.line));
        for (segments, line) in imports.chain(paths) {
            let named = packages.iter().find(|it| it.crate_name() == segments[0]);
            if let Some(named) =
                named.filter(|it| segments.len() > 1 && is_forbidden(from, &it.name))
            {
                add(&module.file, line, from, &named.name);
            }
        }
    }
    found
}
