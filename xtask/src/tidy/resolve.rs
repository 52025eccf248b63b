//! What paths mean, through whichever imports.

use std::collections::BTreeSet;

use super::contents::Kind;
use super::crates::{Crates, ModuleId};

/// What a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Meaning {
    Module(ModuleId),
    /// The n-th item of a module.
    Item(ModuleId, usize),
}

impl Meaning {
    pub(super) fn module(self) -> Option<ModuleId> {
        match self {
            Self::Module(module) => Some(module),
            Self::Item(..) => None,
        }
    }
}

/// The n-th import of a module.
pub(super) type ImportId = (ModuleId, usize);

/// All that a path can mean, since names of types, values and macros are apart.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) meanings: BTreeSet<Meaning>,
    /// The imports that lead there.
    pub(super) imports: BTreeSet<ImportId>,
}

/// Resolves a path that a module names.
pub(super) fn resolve(crates: &Crates, from: ModuleId, segments: &[String]) -> Resolved {
    let mut search = Search {
        crates,
        under_way: Vec::new(),
        imports: BTreeSet::new(),
    };
    Resolved {
        meanings: search.path(from, segments),
        imports: search.imports,
    }
}

struct Search<'a> {
    crates: &'a Crates,
    /// The imports that are being followed, each for a name.
    under_way: Vec<(ImportId, String)>,
    imports: BTreeSet<ImportId>,
}

impl Search<'_> {
    fn path(&mut self, from: ModuleId, segments: &[String]) -> BTreeSet<Meaning> {
        let Some((first, rest)) = segments.split_first() else {
            return BTreeSet::from([Meaning::Module(from)]);
        };
        let parent = |module| self.crates.parent(module).map(Meaning::Module);
        let mut found: BTreeSet<Meaning> = match first.as_str() {
            "crate" => BTreeSet::from([Meaning::Module(ModuleId(from.0, 0))]),
            "self" => BTreeSet::from([Meaning::Module(from)]),
            "super" => parent(from).into_iter().collect(),
            name => self.name(from, name),
        };
        if found.is_empty() {
            found.extend(self.crates.library(first).map(Meaning::Module));
        }
        for name in rest {
            let mut next = BTreeSet::new();
            for meaning in found {
                match meaning {
                    Meaning::Module(module) if name == "super" => {
                        next.extend(self.crates.parent(module).map(Meaning::Module));
                    }
                    Meaning::Module(module) => next.extend(self.name(module, name)),
                    // Variants, methods and constants of a type are where the type is.
                    Meaning::Item(module, item) => {
                        let kind = self.crates.item(module, item).kind;
                        let has_members = matches!(kind, Kind::Type | Kind::Trait);
                        next.extend(has_members.then_some(meaning));
                    }
                }
            }
            found = next;
        }
        found
    }

    /// What a name in a module means; what the module declares hides what globs bring.
    fn name(&mut self, of: ModuleId, name: &str) -> BTreeSet<Meaning> {
        let module = self.crates.module(of);
        let mut found = BTreeSet::new();
        let child = module.children.get(name);
        found.extend(child.map(|(child, _)| Meaning::Module(ModuleId(of.0, *child))));
        for (at, item) in module.contents.items.iter().enumerate() {
            if item.name == name && item.owner.is_none() {
                found.insert(Meaning::Item(of, at));
            }
        }
        let imports = || module.contents.imports.iter().enumerate();
        for (at, import) in imports().filter(|(_, it)| it.name.as_deref() == Some(name)) {
            let meanings = self.import((of, at), name, |search| search.path(of, &import.segments));
            found.extend(meanings);
        }
        if !found.is_empty() {
            return found;
        }
        for (at, glob) in imports().filter(|(_, it)| it.name.is_none()) {
            found.extend(self.import((of, at), name, |search| {
                let targets = search.path(of, &glob.segments).into_iter();
                let modules: Vec<ModuleId> = targets.filter_map(Meaning::module).collect();
                let names = modules
                    .into_iter()
                    .flat_map(|module| search.name(module, name));
                names.collect()
            }));
        }
        found
    }

    /// Follows an import, unless it is being followed: imports may lead in circles.
    fn import(
        &mut self,
        import: ImportId,
        name: &str,
        follow: impl FnOnce(&mut Self) -> BTreeSet<Meaning>,
    ) -> BTreeSet<Meaning> {
        let step = (import, name.to_owned());
        if self.under_way.contains(&step) {
            return BTreeSet::new();
        }
        self.under_way.push(step);
        let found = follow(self);
        self.under_way.pop();
        if !found.is_empty() {
            self.imports.insert(import);
        }
        found
    }
}
