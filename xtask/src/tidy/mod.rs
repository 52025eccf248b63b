//! What the compiler does not check of the source's order.
//!
//! Circles of imports, arrows between crates, public items that nothing uses, long functions.

mod circles;
mod crates;
mod documents;
mod files;
mod layers;
mod numbers;
mod package;
mod public;
mod resolve;
mod scan;
mod tokens;

use std::path::Path;
use std::process::ExitCode;

use crate::program::workspace;
use circles::Circle;
use crates::Crates;
use documents::Documents;
use files::Files;
use package::Package;

/// No function has more lines.
const LONGEST: usize = 100;

const USAGE: &str = "\
usage: cargo xtask tidy
       cargo xtask tidy --numbers [FOLDER]   sizes of this workspace, or of another checkout
";

pub(crate) fn main(words: &[&str]) -> ExitCode {
    let result = match words {
        [] => check(),
        ["--numbers"] => numbers(workspace()),
        ["--numbers", folder] => numbers(Path::new(folder)),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
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
    let forbidden = layers::forbidden(&files, &packages, &crates);
    for line in &forbidden {
        println!("arrow between crates: {line}");
    }
    let mut unused = 0;
    for library in public::exports(&crates, &Documents::read(&files)) {
        unused += library.unused.len();
        for item in library.unused {
            let (file, line) = (item.file.display(), item.line);
            println!("unused public item: {file}:{line}: {}", item.name);
        }
    }
    let mut long = 0;
    for (_, module) in crates.modules() {
        for function in module
            .contents
            .functions
            .iter()
            .filter(|it| it.length > LONGEST)
        {
            long += 1;
            let (file, line) = (module.file.display(), function.line);
            println!(
                "long function: {file}:{line}: {} has {} lines",
                function.name, function.length
            );
        }
    }
    match (circles.len(), forbidden.len(), unused, long) {
        (0, 0, 0, 0) => Ok(()),
        (circles, forbidden, unused, long) => Err(format!(
            "{circles} circles of imports, {forbidden} forbidden arrows between crates, \
             {unused} unused public items, {long} long functions"
        )),
    }
}

fn numbers(folder: &Path) -> Result<(), String> {
    let files = Files::read(folder)?;
    let packages = Package::all(&files)?;
    let crates = Crates::read(&files, &packages)?;
    let exports = public::exports(&crates, &Documents::read(&files));
    let circles = circles::circles(&crates);
    print!("{}", numbers::table(&files, &crates, &exports, &circles));
    Ok(())
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
