//! The workspace's packages, as their manifests describe them.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::files::Files;

/// A package.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest: PathBuf,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) targets: Vec<Target>,
}

/// A line of a manifest that names another package.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) is_for_tests: bool,
}

/// What is compiled as one crate.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) root: PathBuf,
    pub(super) kind: TargetKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetKind {
    Library,
    Program,
    Test,
}

impl Package {
    /// All packages of the workspace.
    pub(super) fn all(files: &Files) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        for (path, text) in files.iter() {
            if path.file_name().is_some_and(|name| name == "Cargo.toml") {
                let fail = |error| format!("{}: {error}", path.display());
                let manifest: Table = text.parse().map_err(fail)?;
                all.extend(Self::of(files, path, &manifest));
            }
        }
        Ok(all)
    }

    fn of(files: &Files, path: &Path, manifest: &Table) -> Option<Self> {
        let name = manifest.get("package")?.get("name")?.as_str()?;
        Some(Self {
            name: name.to_owned(),
            manifest: path.to_owned(),
            dependencies: dependencies(files.get(path)?),
            targets: targets(files, path.parent()?, manifest),
        })
    }

    /// The name of its library in code.
    pub(super) fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// Every key in a section of dependencies.
fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut all = Vec::new();
    let mut section = "";
    for (text, line) in manifest.lines().map(str::trim).zip(1..) {
        if let Some(header) = text.strip_prefix('[') {
            section = header.trim_end_matches(']');
        } else if section.ends_with("dependencies")
            && let Some(end) = text.find(['.', ' ', '='])
        {
            all.push(Dependency {
                name: text[..end].trim_matches('"').to_owned(),
                line,
                is_for_tests: section.ends_with("dev-dependencies"),
            });
        }
    }
    all
}

/// Those that cargo finds by itself, and those that the manifest names.
fn targets(files: &Files, folder: &Path, manifest: &Table) -> Vec<Target> {
    let mut all = Vec::new();
    let mut add = |root: PathBuf, kind| {
        if files.get(&root).is_some() && all.iter().all(|target: &Target| target.root != root) {
            all.push(Target { root, kind });
        }
    };
    add(folder.join("src/lib.rs"), TargetKind::Library);
    add(folder.join("src/main.rs"), TargetKind::Program);
    for (section, kind) in [("bin", TargetKind::Program), ("test", TargetKind::Test)] {
        let named = manifest.get(section).and_then(Value::as_array);
        for target in named.into_iter().flatten() {
            if let Some(path) = target.get("path").and_then(Value::as_str) {
                add(folder.join(path), kind);
            }
        }
    }
    let package = manifest.get("package");
    let finds_tests = package.and_then(|package| package.get("autotests")) != Some(&false.into());
    let tests = folder.join("tests");
    for (path, _) in files.iter().filter(|_| finds_tests) {
        let Ok(below) = path.strip_prefix(&tests) else {
            continue;
        };
        let is_root = match below.components().count() {
            1 => path.extension().is_some_and(|extension| extension == "rs"),
            2 => below.ends_with("main.rs"),
            _ => false,
        };
        if is_root {
            add(path.to_owned(), TargetKind::Test);
        }
    }
    all
}
