//! What people install: a tree of files, that tree in a tarball, and a Debian package of it.
//!
//! Nothing is fetched, and no program is needed beside cargo, tar, gzip and dpkg-deb.

mod check;
mod debian;
mod file;
mod make;
mod page;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use make::make;

pub(crate) use check::check;

const USAGE: &str = "\
usage: cargo xtask dist [--debug | --check]

Builds the command and writes into target/dist:
  palisade-VERSION/                    an installable tree, as below /
  palisade-VERSION-ARCHITECTURE.tar.gz that tree
  palisade_VERSION_ARCHITECTURE.deb    a Debian package

options:
  --debug  without optimizing: quicker, for tests
  --check  the same, and looks whether each part is sound, as `cargo xtask test` does
";

pub(crate) fn main(args: &[&str]) -> ExitCode {
    let is_debug = match args {
        [] => false,
        ["--debug"] => true,
        ["--check"] => return end(check().map(|()| Vec::new())),
        ["--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    end(make(is_debug))
}

fn end(made: Result<Vec<PathBuf>, String>) -> ExitCode {
    match made {
        Ok(made) => {
            for path in made {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("dist: {reason}");
            ExitCode::FAILURE
        }
    }
}
