//! The project's chores: `cargo xtask COMMAND`.

mod bench;
mod dist;
mod features;
mod kernels;
mod lab;
mod program;
mod rust_version;
mod setup;
mod step;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  setup   installs what tests need that is missing; without root it says what that is
  test    setup, then every check there is
  dist    man pages, completions, an installable tree, a tarball and a Debian package
  tidy    the order of the source: circles, layers, unused public items, long functions
  lab     real packets through networks of all kinds, and the evaluator against the kernel
  kernels Debian's newest kernel in a virtual machine: what palisade does on the host beside rules
  bench   how long we take, beside others that do the same: `cargo xtask bench --help`
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["setup"] => setup::main(),
        ["test"] => test::main(),
        ["tidy", rest @ ..] => tidy::main(rest),
        ["kernels", rest @ ..] => kernels::main(rest),
        ["lab", rest @ ..] => lab::main(rest),
        ["dist", rest @ ..] => dist::main(rest),
        ["bench", rest @ ..] => bench::main(rest),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
