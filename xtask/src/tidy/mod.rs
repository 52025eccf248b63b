//! What the compiler does not check of the source's order.
//!
//! Circles of imports, arrows between crates, public items that nothing uses, long functions.

mod circles;
mod contents;
mod crates;
mod documents;
mod embedder;
mod files;
mod finding;
mod functions;
mod imports;
mod layers;
mod numbers;
mod package;
mod public;
mod resolve;
mod scan;
#[cfg(test)]
mod tests;
mod tokens;

use std::path::Path;
use std::process::ExitCode;

use crate::program::workspace;
use crates::Crates;
use documents::Documents;
use files::Files;
use finding::Finding;
use package::Package;

const USAGE: &str = "\
usage: cargo xtask tidy
       cargo xtask tidy --shrink                removes resolved findings from the known ones
       cargo xtask tidy --numbers [CHECKOUT]    sizes of this workspace, or of another checkout
       cargo xtask tidy --embedder [CHECKOUT]   what embedding its library costs: takes minutes
";

pub(crate) fn main(words: &[&str]) -> ExitCode {
    let result = match words {
        [] => check(),
        ["--shrink"] => shrink(),
        ["--numbers"] => numbers(workspace()),
        ["--numbers", checkout] => numbers(Path::new(checkout)),
        ["--embedder"] => embedder::measure(workspace()),
        ["--embedder", checkout] => embedder::measure(Path::new(checkout)),
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

/// Findings that are not resolved yet, a name on each line. The list may only become shorter.
const KNOWN: &str = "xtask/src/tidy/known.txt";

/// Prints everything that is out of order and not known, and what is listed as known but resolved.
pub(crate) fn check() -> Result<(), String> {
    let files = Files::read(workspace())?;
    let findings = findings(&files)?;
    let known = known()?;
    let new = findings.iter().filter(|it| !known.contains(&it.name));
    let resolved = known
        .iter()
        .filter(|&name| findings.iter().all(|it| it.name != *name));
    let (mut problems, is_known) = (0, known.len());
    for finding in new {
        problems += 1;
        println!("{finding}");
    }
    for name in resolved {
        problems += 1;
        println!("resolved, to be removed from {KNOWN} (`cargo xtask tidy --shrink`):\n  {name}\n");
    }
    println!("{is_known} findings are known");
    match problems {
        0 => Ok(()),
        count => Err(format!("{count} findings")),
    }
}

fn known() -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(workspace().join(KNOWN));
    let text = text.map_err(|error| format!("{KNOWN}: {error}"))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Removes resolved findings from the list of known ones.
fn shrink() -> Result<(), String> {
    let findings = findings(&Files::read(workspace())?)?;
    let mut known = known()?;
    known.retain(|name| findings.iter().any(|it| it.name == *name));
    let text: String = known.iter().map(|name| format!("{name}\n")).collect();
    std::fs::write(workspace().join(KNOWN), text).map_err(|error| format!("{KNOWN}: {error}"))
}

fn findings(files: &Files) -> Result<Vec<Finding>, String> {
    let packages = Package::all(files)?;
    let crates = Crates::read(files, &packages)?;
    let circles = circles::circles(&crates).into_iter();
    let mut found: Vec<Finding> = circles.map(|circle| circle.finding(files)).collect();
    found.extend(layers::forbidden(files, &packages, &crates));
    for library in public::exports(&crates, &Documents::read(files)) {
        found.extend(library.unused);
    }
    found.extend(functions::long(&crates));
    Ok(found)
}

fn numbers(checkout: &Path) -> Result<(), String> {
    let files = Files::read(checkout)?;
    let crates = Crates::read(&files, &Package::all(&files)?)?;
    let exports = public::exports(&crates, &Documents::read(&files));
    let circles = circles::circles(&crates);
    print!("{}", numbers::table(&files, &crates, &exports, &circles));
    Ok(())
}
