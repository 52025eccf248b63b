//! Real packets: sets of networks in every way that we install rules, and the evaluator against the
//! kernel.

use std::process::ExitCode;

use crate::program::{cargo, is_root, run};

const USAGE: &str = "\
usage: cargo xtask lab [--long] [--seed N]

  --long    ten times the packets, forty random sets of networks, and two hundred random hosts
  --seed N  the random set and the random packets of this seed, which a run before printed
";

pub(crate) fn main(args: &[&str]) -> ExitCode {
    let (mut is_long, mut seed) = (false, None);
    let mut rest = args.iter();
    while let Some(&arg) = rest.next() {
        match arg {
            "--long" => is_long = true,
            "--seed" => match rest.next().filter(|text| text.parse::<u64>().is_ok()) {
                Some(&text) => seed = Some(text),
                None => return usage(),
            },
            _ => return usage(),
        }
    }
    if !is_root() {
        eprintln!("the lab needs root, to make network namespaces");
        return ExitCode::FAILURE;
    }
    let mut tests = cargo();
    tests.args(["test", "--locked", "--no-fail-fast", "-p", "palisade-tests"]);
    for target in ["sets", "differential", "hosts"] {
        tests.args(["--test", target]);
    }
    if is_long {
        tests.env("PALISADE_LAB_PACKETS", "100000");
        tests.env("PALISADE_LAB_SETS", "40");
        tests.env("PALISADE_LAB_HOSTS", "200");
    }
    if let Some(seed) = seed {
        tests.env("PALISADE_TEST_SEED", seed);
    }
    match run(&mut tests) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}
