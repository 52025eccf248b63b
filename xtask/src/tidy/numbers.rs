//! The size of the source in numbers, to be compared over time.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use super::circles::Circle;
use super::crates::{Crate, Crates, Module};
use super::files::Files;
use super::package::TargetKind;
use super::public::Exports;

/// A line for each library and program: files and lines without tests and blank lines, items that
/// can be named from outside, and the longest function.
pub(super) fn table(
    files: &Files,
    crates: &Crates,
    exports: &[Exports],
    circles: &[Circle],
) -> String {
    let mut text = format!(
        "{:<24}{:>6}{:>8}{:>8}{:>8}  longest function\n",
        "crate", "files", "lines", "public", "unused"
    );
    let mut all = (0, 0, 0, 0);
    for (_, each) in crates.iter().filter(|(_, it)| it.kind != TargetKind::Test) {
        let (name, lines) = (&each.package, lines(files, each));
        let count = paths(each).len();
        let exported = exports.iter().find(|it| it.package == *name);
        let (public, unused) = exported.map_or((0, 0), |it| (it.count, it.unused.len()));
        let longest = longest(each);
        let _ = writeln!(
            text,
            "{name:<24}{count:>6}{lines:>8}{public:>8}{unused:>8}  {longest}"
        );
        all = (all.0 + count, all.1 + lines, all.2 + public, all.3 + unused);
    }
    let (count, lines, public, unused) = all;
    let _ = writeln!(
        text,
        "{:<24}{count:>6}{lines:>8}{public:>8}{unused:>8}",
        "all"
    );
    let _ = writeln!(text, "{} circles of imports", circles.len());
    text
}

fn modules(each: &Crate) -> impl Iterator<Item = &Module> {
    each.modules.iter().filter(|module| !module.is_test)
}

fn paths(each: &Crate) -> BTreeSet<&Path> {
    modules(each).map(|module| module.file.as_path()).collect()
}

/// Lines that are neither blank nor of tests.
fn lines(files: &Files, each: &Crate) -> usize {
    let of_file = |file: &Path| {
        let inside = modules(each).filter(|module| module.file == file);
        let tests: Vec<_> = inside.flat_map(|module| &module.contents.tests).collect();
        let is_test = |at: usize| {
            tests
                .iter()
                .any(|(first, last)| (first..=last).contains(&&at))
        };
        let lines = files.get(file).unwrap_or_default().lines().zip(1..);
        lines
            .filter(|(line, at)| !line.trim().is_empty() && !is_test(*at))
            .count()
    };
    paths(each).into_iter().map(of_file).sum()
}

/// The number of its lines, its name and its file.
fn longest(each: &Crate) -> String {
    let functions = modules(each).flat_map(|module| {
        let functions = module.contents.functions.iter().filter(|it| !it.is_test);
        functions.map(move |function| (function.length, &function.name, &module.file))
    });
    functions
        .max()
        .map_or(String::new(), |(length, name, file)| {
            format!("{length}: {name} in {}", file.display())
        })
}
