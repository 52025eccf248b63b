//! Crates as trees of modules.

use std::collections::HashMap;
use std::path::{Path as FilePath, PathBuf};

use super::contents::{Contents, Item, Visibility};
use super::documents::examples;
use super::files::Files;
use super::package::{Package, TargetKind};
use super::scan::scan;

/// All crates of the workspace.
#[derive(Debug)]
pub(super) struct Crates(Vec<Crate>);

/// What is compiled in one go.
#[derive(Debug)]
pub(super) struct Crate {
    /// The name of the package.
    pub(super) package: String,
    /// Its name in code, if it is a library.
    pub(super) library: Option<String>,
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
    /// Whether it is compiled for tests only.
    pub(super) is_test: bool,
}

/// A module of a crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ModuleId(pub(super) usize, pub(super) usize);

impl Crates {
    pub(super) fn read(files: &Files, packages: &[Package]) -> Result<Self, String> {
        let mut all = Vec::new();
        for package in packages {
            for target in &package.targets {
                let mut new = Crate {
                    package: package.name.clone(),
                    library: (target.kind == TargetKind::Library).then(|| package.crate_name()),
                    kind: target.kind,
                    modules: Vec::new(),
                };
                let folder = target.root.parent().unwrap_or(FilePath::new(""));
                let place = Place {
                    path: "crate".to_owned(),
                    parent: None,
                    is_test: false,
                    folder: folder.to_owned(),
                };
                new.read_file(files, &target.root, &place)?;
                all.push(new);
            }
        }
        for (path, text) in files.iter() {
            let examples = examples(path, text);
            all.extend(
                examples
                    .iter()
                    .filter_map(|text| Crate::example(path, text)),
            );
        }
        Ok(Self(all))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Crate)> {
        self.0.iter().enumerate()
    }

    pub(super) fn module(&self, ModuleId(of, module): ModuleId) -> &Module {
        &self.0[of].modules[module]
    }

    pub(super) fn get(&self, of: usize) -> &Crate {
        &self.0[of]
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

    /// The library of a name in code.
    pub(super) fn library(&self, name: &str) -> Option<ModuleId> {
        let is_it = |each: &Crate| each.library.as_deref() == Some(name);
        Some(ModuleId(self.0.iter().position(is_it)?, 0))
    }

    /// Whether a module is another one or below it.
    pub(super) fn is_inside(&self, inner: ModuleId, outer: ModuleId) -> bool {
        let mut above = Some(inner);
        while let Some(module) = above {
            if module == outer {
                return true;
            }
            above = self.parent(module);
        }
        false
    }

    pub(super) fn parent(&self, ModuleId(of, module): ModuleId) -> Option<ModuleId> {
        Some(ModuleId(of, self.0[of].modules[module].parent?))
    }
}

/// Where a module is put.
struct Place {
    path: String,
    parent: Option<usize>,
    is_test: bool,
    /// Where its children's files are.
    folder: PathBuf,
}

impl Crate {
    /// An example in documentation; none if it is no whole code.
    fn example(file: &FilePath, text: &str) -> Option<Self> {
        let mut example = Self {
            package: format!("an example in {}", file.display()),
            library: None,
            kind: TargetKind::Test,
            modules: Vec::new(),
        };
        example.modules.push(Module {
            path: "crate".to_owned(),
            file: file.to_owned(),
            parent: None,
            children: HashMap::new(),
            contents: scan(text, true).ok()?,
            is_test: true,
        });
        Some(example)
    }

    fn read_file(
        &mut self,
        files: &Files,
        file: &FilePath,
        place: &Place,
    ) -> Result<usize, String> {
        let text = files
            .get(file)
            .ok_or_else(|| format!("no file {}", file.display()))?;
        let contents =
            scan(text, place.is_test).map_err(|error| format!("{}: {error}", file.display()))?;
        self.add(files, file, contents, place)
    }

    /// Adds a module and those below it.
    fn add(
        &mut self,
        files: &Files,
        file: &FilePath,
        mut contents: Contents,
        place: &Place,
    ) -> Result<usize, String> {
        let own = self.modules.len();
        let children = std::mem::take(&mut contents.children);
        self.modules.push(Module {
            path: place.path.clone(),
            file: file.to_owned(),
            parent: place.parent,
            children: HashMap::new(),
            contents,
            is_test: place.is_test,
        });
        for child in children {
            let below = Place {
                path: format!("{}::{}", place.path, child.name),
                parent: Some(own),
                is_test: child.is_test,
                folder: place.folder.join(&child.name),
            };
            if let Some(contents) = child.inline {
                let index = self.add(files, file, contents, &below)?;
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
            let below = Place {
                folder: match &child.path {
                    Some(_) => found.parent().unwrap_or(FilePath::new("")).to_owned(),
                    None => below.folder,
                },
                ..below
            };
            let index = self.read_file(files, &found, &below)?;
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
