//! What the compiler does not check of the house's order.

mod circles;
mod crates;
mod files;
#[allow(dead_code, reason = "for checks that follow")]
mod package;
#[allow(dead_code, reason = "for checks that follow")]
mod scan;
mod tokens;

use std::process::ExitCode;

use crate::program::workspace;
use circles::Circle;
use crates::Crates;
use files::Files;
use package::Package;

pub(crate) fn main() -> ExitCode {
    match check() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("tidy: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Prints all that is out of order.
pub(crate) fn check() -> Result<(), String> {
    let files = Files::read(workspace())?;
    let packages = Package::all(&files)?;
    let crates = Crates::read(&files, &packages)?;
    let circles = circles::circles(&crates);
    for circle in &circles {
        println!("{}", shown(circle, &files));
    }
    if circles.is_empty() {
        Ok(())
    } else {
        Err(format!("{} circles of imports", circles.len()))
    }
}

/// `a.rs -> b.rs -> a.rs`, and the first line of each arrow.
fn shown(circle: &Circle, files: &Files) -> String {
    let mut text = "circle: ".to_owned();
    for step in &circle.steps {
        text += &format!("{} -> ", step.file.display());
    }
    if let Some(first) = circle.steps.first() {
        text += &format!("{}\n", first.file.display());
    }
    for step in &circle.steps {
        let line = step.lines.first().copied().unwrap_or_default();
        let source = files.line(&step.file, line);
        text += &format!("  {}:{line}: {source}", step.file.display());
        text += &match step.lines.len() {
            ..=1 => "\n".to_owned(),
            count => format!("  (and in {} more lines)\n", count - 1),
        };
    }
    text
}
