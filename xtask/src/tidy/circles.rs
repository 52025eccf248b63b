//! Circles of imports between the files of a crate.
//!
//! An arrow goes from a file that names an item to the file that defines it, through whichever
//! re-exports. `mod child;` and re-exports of what is below a module are no arrows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path as FilePath, PathBuf};

use super::contents::{Import, Kind, Visibility};
use super::crates::{Crates, ModuleId};
use super::files::Files;
use super::finding::Finding;
use super::resolve::{Meaning, resolve};

/// Files, and the lines that make them depend on others.
type Arrows = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<usize>>>;

/// A shortest circle through one of its arrows.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Circle {
    /// Each depends on the next, the last on the first.
    pub(super) steps: Vec<Step>,
}

/// A file, and the lines in which it depends on the next one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    pub(super) file: PathBuf,
    pub(super) lines: Vec<usize>,
}

impl Circle {
    fn arrows(&self) -> impl Iterator<Item = (PathBuf, PathBuf)> {
        let next = self.steps.iter().cycle().skip(1);
        let pairs = self.steps.iter().zip(next);
        pairs.map(|(from, to)| (from.file.clone(), to.file.clone()))
    }

    /// `a.rs -> b.rs -> a.rs`, and the first line of each arrow.
    pub(super) fn finding(&self, files: &Files) -> Finding {
        let names = self.steps.iter().chain(self.steps.first());
        let names: Vec<String> = names.map(|step| step.file.display().to_string()).collect();
        let arrow = |step: &Step| {
            let line = step.lines.first().copied().unwrap_or_default();
            let source = files.line(&step.file, line);
            let more = match step.lines.len() {
                ..=1 => String::new(),
                count => format!("  (and {} more lines)", count - 1),
            };
            format!("{}:{line}: {source}{more}", step.file.display())
        };
        Finding {
            name: format!("circle: {}", names.join(" -> ")),
            places: self.steps.iter().map(arrow).collect(),
        }
    }
}

/// The circles of all crates, shortest first; of those that share an arrow only the shortest.
pub(super) fn circles(crates: &Crates) -> Vec<Circle> {
    let mut found = BTreeSet::new();
    for (of, _) in crates.iter() {
        let arrows = arrows(crates, of);
        for (from, targets) in &arrows {
            for to in targets.keys() {
                found.extend(circle(&arrows, from, to));
            }
        }
    }
    let mut found: Vec<Circle> = found.into_iter().collect();
    found.sort_by_key(|circle| circle.steps.len());
    let mut seen = BTreeSet::new();
    found.retain(|circle| {
        let is_new = circle.arrows().all(|arrow| !seen.contains(&arrow));
        seen.extend(circle.arrows().filter(|_| is_new));
        is_new
    });
    found
}

/// Which files of a crate depend on which others.
pub(super) fn arrows(crates: &Crates, of: usize) -> Arrows {
    let mut arrows = Arrows::new();
    let modules = crates
        .modules()
        .filter(|(id, module)| id.0 == of && !module.is_test);
    for (id, module) in modules {
        let mut add = |meaning: Meaning, line: usize| {
            if let Meaning::Item(target, item) = meaning
                && target.0 == of
                && crates.module(target).file != module.file
                && crates.item(target, item).kind != Kind::Impl
            {
                let targets = arrows.entry(module.file.clone()).or_default();
                let file = crates.module(target).file.clone();
                targets.entry(file).or_default().insert(line);
            }
        };
        for import in module.contents.imports.iter().filter(|it| !it.is_test) {
            for meaning in resolve(crates, id, &import.segments).meanings {
                if import.name.is_some() && !is_reexport(crates, id, import, meaning) {
                    add(meaning, import.line);
                }
            }
        }
        for path in module.contents.paths.iter().filter(|it| !it.is_test) {
            for meaning in resolve(crates, id, &path.segments).meanings {
                if path.is_item {
                    add(meaning, path.line);
                }
            }
        }
    }
    arrows
}

/// Whether an import hands on what is below its module.
fn is_reexport(crates: &Crates, of: ModuleId, import: &Import, meaning: Meaning) -> bool {
    let Meaning::Item(target, _) = meaning else {
        return false;
    };
    import.visibility != Visibility::Private && crates.is_inside(target, of)
}

/// The shortest circle that begins with an arrow, from its first file in the order of names.
fn circle(arrows: &Arrows, from: &FilePath, to: &FilePath) -> Option<Circle> {
    let mut came_from: BTreeMap<&FilePath, &FilePath> = BTreeMap::new();
    let mut queue = VecDeque::from([to]);
    while let Some(file) = queue.pop_front() {
        if file == from {
            break;
        }
        for next in arrows.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next != to && !came_from.contains_key(next.as_path()) {
                came_from.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    let mut files = vec![from];
    while let Some(before) = came_from.get(files[files.len() - 1]) {
        files.push(before);
    }
    if files[files.len() - 1] != to {
        return None;
    }
    files.reverse();
    let first = files.iter().min()?;
    let first = files.iter().position(|file| file == first)?;
    files.rotate_left(first);
    let steps = files.iter().enumerate().map(|(at, file)| {
        let next = files[(at + 1) % files.len()];
        Step {
            file: file.to_path_buf(),
            lines: arrows[*file][next].iter().copied().collect(),
        }
    });
    Some(Circle {
        steps: steps.collect(),
    })
}
