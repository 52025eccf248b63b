//! Crates as trees of modules, and what paths in them mean.

use std::collections::HashMap;
use std::path::{Path as FilePath, PathBuf};

use super::files::Files;
use super::package::{Package, TargetKind};
use super::scan::{Contents, Item, Kind, Visibility, scan};

/// All crates of the workspace.
#[derive(Debug)]
pub(super) struct Crates(Vec<Crate>);

/// What is compiled in one go.
#[derive(Debug)]
pub(super) struct Crate {
    /// The name of the package.
    pub(super) package: String,
    pub(super) kind: TargetKind,
    /// The first is the root.
    pub(super) modules: Vec<Module>,
}

/// A module in its place.
#[derive(Debug)]
pub(super) struct Module {
    /// `crate::a::b`, for people.
    pub(super) path: String,
    pub(super) file: PathBuf,
    pub(super) parent: Option<usize>,
    pub(super) children: HashMap<String, (usize, Visibility)>,
    pub(super) contents: Contents,
    /// Files that are compiled for tests only.
    pub(super) test_files: Vec<PathBuf>,
}

/// A module of a crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ModuleId(pub(super) usize, pub(super) usize);

/// What a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Meaning {
    Module(ModuleId),
    /// The n-th item of a module.
    Item(ModuleId, usize),
}

impl Crates {
    pub(super) fn read(files: &Files, packages: &[Package]) -> Result<Self, String> {
        let mut all = Vec::new();
        for package in packages {
            for target in &package.targets {
                let mut new = Crate {
                    package: package.name.clone(),
                    kind: target.kind,
                    modules: Vec::new(),
                };
                let folder = target.root.parent().unwrap_or(FilePath::new(""));
                let place = Place {
                    path: "crate".to_owned(),
                    parent: None,
                    folder: folder.to_owned(),
                };
                new.read_file(files, target.root.clone(), place)?;
                all.push(new);
            }
        }
        Ok(Self(all))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Crate)> {
        self.0.iter().enumerate()
    }

    pub(super) fn module(&self, ModuleId(of, module): ModuleId) -> &Module {
        &self.0[of].modules[module]
    }

    pub(super) fn item(&self, module: ModuleId, item: usize) -> &Item {
        &self.module(module).contents.items[item]
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.iter().flat_map(|(of, each)| {
            let modules = each.modules.iter().enumerate();
            modules.map(move |(at, module)| (ModuleId(of, at), module))
        })
    }

    /// All that a path in a module can mean: names of types, values and macros are apart.
    pub(super) fn resolve(&self, from: ModuleId, segments: &[String]) -> Vec<Meaning> {
        self.resolve_once(from, segments, &mut Vec::new())
    }

    /// The library of a name in code.
    pub(super) fn library(&self, name: &str) -> Option<ModuleId> {
        let is_it = |each: &Crate| {
            each.kind == TargetKind::Library && each.package.replace('-', "_") == name
        };
        Some(ModuleId(self.0.iter().position(is_it)?, 0))
    }

    fn resolve_once(
        &self,
        from: ModuleId,
        segments: &[String],
        under_way: &mut Vec<(ModuleId, String)>,
    ) -> Vec<Meaning> {
        let Some((first, mut rest)) = segments.split_first() else {
            return vec![Meaning::Module(from)];
        };
        let mut found = match first.as_str() {
            "crate" => vec![Meaning::Module(ModuleId(from.0, 0))],
            "self" => vec![Meaning::Module(from)],
            "super" => self.parent(from).map(Meaning::Module).into_iter().collect(),
            name => self.lookup(from, name, under_way),
        };
        if found.is_empty() {
            found.extend(self.library(first).map(Meaning::Module));
        }
        while let Some((name, after)) = rest.split_first() {
            let mut next = Vec::new();
            for meaning in found {
                match meaning {
                    Meaning::Module(module) if name == "super" => {
                        next.extend(self.parent(module).map(Meaning::Module));
                    }
                    Meaning::Module(module) => next.extend(self.lookup(module, name, under_way)),
                    // Variants, methods and constants of a type are where the type is.
                    Meaning::Item(module, item) => {
                        let has_members =
                            matches!(self.item(module, item).kind, Kind::Type | Kind::Trait);
                        next.extend(has_members.then_some(meaning));
                    }
                }
            }
            (found, rest) = (next, after);
        }
        found.sort();
        found.dedup();
        found
    }

    fn parent(&self, ModuleId(of, module): ModuleId) -> Option<ModuleId> {
        Some(ModuleId(of, self.0[of].modules[module].parent?))
    }

    /// What a name in a module means; what the module declares hides what globs bring.
    pub(super) fn lookup(
        &self,
        of: ModuleId,
        name: &str,
        under_way: &mut Vec<(ModuleId, String)>,
    ) -> Vec<Meaning> {
        if under_way
            .iter()
            .any(|(module, other)| *module == of && other == name)
        {
            return Vec::new();
        }
        under_way.push((of, name.to_owned()));
        let module = self.module(of);
        let mut found = Vec::new();
        if let Some((child, _)) = module.children.get(name) {
            found.push(Meaning::Module(ModuleId(of.0, *child)));
        }
        for (at, item) in module.contents.items.iter().enumerate() {
            if item.name == name && item.owner.is_none() {
                found.push(Meaning::Item(of, at));
            }
        }
        for import in &module.contents.imports {
            if import.name.as_deref() == Some(name) {
                found.extend(self.resolve_once(of, &import.segments, under_way));
            }
        }
        if found.is_empty() {
            for glob in module
                .contents
                .imports
                .iter()
                .filter(|it| it.name.is_none())
            {
                for meaning in self.resolve_once(of, &glob.segments, under_way) {
                    if let Meaning::Module(module) = meaning {
                        found.extend(self.lookup(module, name, under_way));
                    }
                }
            }
        }
        under_way.pop();
        found
    }
}

/// Where a module is put.
struct Place {
    path: String,
    parent: Option<usize>,
    /// Where its children's files are.
    folder: PathBuf,
}

impl Crate {
    fn read_file(&mut self, files: &Files, file: PathBuf, place: Place) -> Result<usize, String> {
        let text = files
            .get(&file)
            .ok_or_else(|| format!("no file {}", file.display()))?;
        let contents = scan(text).map_err(|error| format!("{}: {error}", file.display()))?;
        self.add(files, file, contents, place)
    }

    /// Adds a module and those below it.
    fn add(
        &mut self,
        files: &Files,
        file: PathBuf,
        mut contents: Contents,
        place: Place,
    ) -> Result<usize, String> {
        let own = self.modules.len();
        let children = std::mem::take(&mut contents.children);
        self.modules.push(Module {
            path: place.path.clone(),
            file: file.clone(),
            parent: place.parent,
            children: HashMap::new(),
            contents,
            test_files: Vec::new(),
        });
        for child in children {
            let below = Place {
                path: format!("{}::{}", place.path, child.name),
                parent: Some(own),
                folder: place.folder.join(&child.name),
            };
            if let Some(contents) = child.inline {
                let index = self.add(files, file.clone(), contents, below)?;
                let child = (child.name, (index, child.visibility));
                self.modules[own].children.extend([child]);
                continue;
            }
            let beside = file.parent().unwrap_or(FilePath::new(""));
            let candidates = match &child.path {
                Some(path) => vec![normal(&beside.join(path))],
                None => vec![
                    place.folder.join(format!("{}.rs", child.name)),
                    below.folder.join("mod.rs"),
                ],
            };
            let found = candidates
                .into_iter()
                .find(|path| files.get(path).is_some());
            let found = found.ok_or_else(|| {
                format!(
                    "{}:{}: no file of `mod {}`",
                    file.display(),
                    child.line,
                    child.name
                )
            })?;
            if child.is_test {
                self.modules[own].test_files.push(found);
                continue;
            }
            let below = Place {
                folder: match &child.path {
                    Some(_) => found.parent().unwrap_or(FilePath::new("")).to_owned(),
                    None => below.folder,
                },
                ..below
            };
            let index = self.read_file(files, found, below)?;
            let child = (child.name, (index, child.visibility));
            self.modules[own].children.extend([child]);
        }
        Ok(own)
    }
}

/// A path without `..`.
fn normal(path: &FilePath) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}
