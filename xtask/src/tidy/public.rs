//! Public items of libraries that no other crate, test or document uses.
//!
//! An item is used if another crate (or a test, an example in documentation) names it, if a document
//! names it, or if the signature of a used item has it. A method is used if its type is used and
//! anything outside of its crate has its name behind a dot or a `::`.

use std::collections::{BTreeSet, HashMap};

use super::contents::{Item, Kind, Visibility};
use super::crates::{Crate, Crates, ModuleId};
use super::documents::Documents;
use super::finding::Finding;
use super::resolve::{ImportId, Meaning, resolve};

/// Something that a library exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Export {
    Module(ModuleId),
    Item(ModuleId, usize),
    /// An item of another crate, handed on.
    Import(ImportId),
}

/// How many items a library exports, and which of them nothing uses.
#[derive(Debug)]
pub(super) struct Exports {
    pub(super) package: String,
    pub(super) count: usize,
    pub(super) unused: Vec<Finding>,
}

/// The exports of all libraries.
pub(super) fn exports(crates: &Crates, documents: &Documents) -> Vec<Exports> {
    let mut uses = Uses {
        crates,
        documents,
        items: BTreeSet::new(),
        modules: BTreeSet::new(),
        imports: BTreeSet::new(),
        seen: BTreeSet::new(),
        members: members(crates),
    };
    // Crates elsewhere are for tests.
    let is_library = |each: &Crate| {
        let root = each.modules.first().map(|root| &root.file);
        each.library.is_some() && root.is_some_and(|root| root.starts_with("crates"))
    };
    let libraries = crates.iter().filter(|(_, each)| is_library(each));
    let exported: Vec<(usize, BTreeSet<Export>)> = libraries
        .map(|(of, _)| (of, exported(crates, of)))
        .collect();
    uses.named_elsewhere();
    for (_, exported) in &exported {
        uses.named_in_documents(exported);
    }
    uses.follow_signatures();
    let of_library = |(of, exported): (usize, BTreeSet<Export>)| Exports {
        package: crates.get(of).package.clone(),
        count: exported.len(),
        unused: uses.unused(&exported),
    };
    exported.into_iter().map(of_library).collect()
}

/// All that can be named from outside of a library, methods too.
fn exported(crates: &Crates, of: usize) -> BTreeSet<Export> {
    let mut found = BTreeSet::new();
    let mut modules = vec![ModuleId(of, 0)];
    let mut seen = BTreeSet::new();
    while let Some(id) = modules.pop() {
        if !seen.insert(id) {
            continue;
        }
        let module = crates.module(id);
        for (child, visibility) in module.children.values() {
            if *visibility == Visibility::Public {
                found.insert(Export::Module(ModuleId(of, *child)));
                modules.push(ModuleId(of, *child));
            }
        }
        for (at, item) in module.contents.items.iter().enumerate() {
            if item.visibility == Visibility::Public && item.owner.is_none() {
                found.insert(Export::Item(id, at));
            }
        }
        for (at, import) in module.contents.imports.iter().enumerate() {
            if import.visibility != Visibility::Public {
                continue;
            }
            for meaning in resolve(crates, id, &import.segments).meanings {
                match meaning {
                    Meaning::Module(module) if module.0 == of => modules.push(module),
                    Meaning::Item(module, item) if module.0 == of => {
                        found.insert(Export::Item(module, item));
                    }
                    _ => {
                        found.insert(Export::Import((id, at)));
                    }
                }
            }
        }
    }
    let types = found.clone();
    for (id, module) in crates.modules().filter(|(id, _)| id.0 == of) {
        for (at, item) in module.contents.items.iter().enumerate() {
            if item.kind == Kind::Member
                && item.visibility == Visibility::Public
                && owner(crates, id, item).is_some_and(|it| types.contains(&it))
            {
                found.insert(Export::Item(id, at));
            }
        }
    }
    found
}

/// The type that an impl is of.
fn owner(crates: &Crates, of: ModuleId, item: &Item) -> Option<Export> {
    let meanings = resolve(crates, of, item.owner.as_ref()?).meanings;
    meanings.into_iter().find_map(|meaning| match meaning {
        Meaning::Item(module, item) => Some(Export::Item(module, item)),
        Meaning::Module(_) => None,
    })
}

struct Uses<'a> {
    crates: &'a Crates,
    documents: &'a Documents,
    items: BTreeSet<(ModuleId, usize)>,
    modules: BTreeSet<ModuleId>,
    imports: BTreeSet<ImportId>,
    /// What signatures of a crate's used items have, by the crate.
    seen: BTreeSet<(usize, Meaning)>,
    /// Names behind a dot or a `::`, and the crates that have them there.
    members: HashMap<&'a str, BTreeSet<usize>>,
}

fn members(crates: &Crates) -> HashMap<&str, BTreeSet<usize>> {
    let mut all: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    for (id, module) in crates.modules() {
        for member in &module.contents.members {
            all.entry(member).or_default().insert(id.0);
        }
    }
    all
}

impl Uses<'_> {
    /// Whatever a crate names of another one.
    fn named_elsewhere(&mut self) {
        for (id, module) in self.crates.modules() {
            let contents = &module.contents;
            let imports = contents.imports.iter().map(|it| &it.segments);
            let paths = contents.paths.iter().map(|it| &it.segments);
            for segments in imports.chain(paths) {
                let resolved = resolve(self.crates, id, segments);
                let imports = resolved.imports.into_iter();
                self.imports
                    .extend(imports.filter(|(module, _)| module.0 != id.0));
                for meaning in resolved.meanings {
                    match meaning {
                        Meaning::Item(module, item) if module.0 != id.0 => {
                            self.items.insert((module, item));
                        }
                        Meaning::Module(module) if module.0 != id.0 => {
                            self.modules.insert(module);
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn named_in_documents(&mut self, exported: &BTreeSet<Export>) {
        for export in exported {
            match *export {
                Export::Item(module, item) => {
                    let found = self.crates.item(module, item);
                    if found.kind != Kind::Member && self.documents.name(&found.name) {
                        self.items.insert((module, item));
                    }
                }
                Export::Import((module, import)) => {
                    let found = &self.crates.module(module).contents.imports[import];
                    if found
                        .name
                        .as_ref()
                        .is_some_and(|name| self.documents.name(name))
                    {
                        self.imports.insert((module, import));
                    }
                }
                Export::Module(_) => {}
            }
        }
    }

    /// Adds what the signatures of used items have, until nothing is new.
    fn follow_signatures(&mut self) {
        let mut members = Vec::new();
        for (id, module) in self.crates.modules() {
            for (at, item) in module.contents.items.iter().enumerate() {
                if let Some(Export::Item(module, of)) = owner(self.crates, id, item) {
                    members.push(((id, at), (module, of)));
                }
            }
        }
        let mut followed = BTreeSet::new();
        loop {
            for &(member, owner) in &members {
                let item = self.crates.item(member.0, member.1);
                if self.items.contains(&owner) && self.is_member_used(member.0, item) {
                    self.items.insert(member);
                }
            }
            let new: Vec<(ModuleId, usize)> = self.items.difference(&followed).copied().collect();
            if new.is_empty() {
                return;
            }
            for (module, item) in new {
                followed.insert((module, item));
                for path in &self.crates.item(module, item).signature {
                    for meaning in resolve(self.crates, module, &path.segments).meanings {
                        self.seen.insert((module.0, meaning));
                        if let Meaning::Item(module, item) = meaning {
                            self.items.insert((module, item));
                        }
                    }
                }
            }
        }
    }

    fn is_member_used(&self, of: ModuleId, item: &Item) -> bool {
        let named_in = self.members.get(item.name.as_str());
        let is_named = named_in.is_some_and(|crates| crates.iter().any(|it| *it != of.0));
        item.kind == Kind::Impl
            || (item.visibility == Visibility::Public
                && (is_named || self.documents.name(&item.name)))
    }

    fn unused(&self, exported: &BTreeSet<Export>) -> Vec<Finding> {
        let unused = exported.iter().filter_map(|export| match *export {
            Export::Item(module, item) => self.unused_item(module, item),
            Export::Import(import) => self.unused_import(import),
            Export::Module(module) => self.unused_module(module),
        });
        unused.collect()
    }

    /// A finding, unless something uses the item, or nothing its type.
    fn unused_item(&self, of: ModuleId, at: usize) -> Option<Finding> {
        let item = self.crates.item(of, at);
        if self.items.contains(&(of, at)) {
            return None;
        }
        let name = match owner(self.crates, of, item) {
            Some(Export::Item(module, at)) if !self.items.contains(&(module, at)) => return None,
            Some(Export::Item(module, at)) => {
                format!("{}::{}", self.crates.item(module, at).name, item.name)
            }
            _ => item.name.clone(),
        };
        Some(self.finding(of, &name, item.line))
    }

    fn unused_import(&self, id: ImportId) -> Option<Finding> {
        let (of, at) = id;
        let import = &self.crates.module(of).contents.imports[at];
        let meanings = resolve(self.crates, of, &import.segments).meanings;
        let is_seen = meanings.iter().any(|it| self.seen.contains(&(of.0, *it)));
        let name = import.segments.join("::");
        (!is_seen && !self.imports.contains(&id)).then(|| self.finding(of, &name, import.line))
    }

    fn unused_module(&self, module: ModuleId) -> Option<Finding> {
        let is_inside = |of: ModuleId| self.crates.is_inside(of, module);
        let is_used = self.modules.contains(&module)
            || self.items.iter().any(|(of, _)| is_inside(*of))
            || self.imports.iter().any(|(of, _)| is_inside(*of));
        let name = &self.crates.module(module).path;
        (!is_used).then(|| self.finding(module, name, 1))
    }

    fn finding(&self, of: ModuleId, name: &str, line: usize) -> Finding {
        let file = self.crates.module(of).file.display();
        Finding {
            name: format!("unused public item: {name} in {file}"),
            places: vec![format!("{file}:{line}")],
        }
    }
}
