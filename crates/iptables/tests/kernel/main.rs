//! The backend with the real programs and the kernel, in network namespaces of its own. What
//! cannot run says so aloud, and fails where the variable CI is set.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

mod cases;
mod host;
mod namespace;
mod parity;

use std::io::Write;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use palisade_iptables::run::{Command, CommandRunner, Processes};

/// A test with the programs of a family.
type Test = fn(&'static str);

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for variant in ["legacy", "nft"] {
        for case in &parity::CASES {
            let name = format!("{variant}: as libvirt: {}", case.name);
            let hindrance = || parity::folder().err();
            let test = |variant| parity::as_libvirt(case, variant);
            trials.push(trial(name, variant, hindrance, test));
        }
        let tests: [(&str, Test); 9] = [
            ("unusual_words", cases::unusual_words),
            ("replaced_and_restored", cases::replaced_and_restored),
            ("rendered", cases::rendered),
            ("counters_kept", cases::counters_kept),
            ("rules_of_others", cases::rules_of_others),
            ("every_failure_is_undone", cases::every_failure_is_undone),
            ("stale_plans", cases::stale_plans),
            ("probed", cases::probed),
            (
                "services_of_several_ip_elements",
                cases::services_of_several_ip_elements,
            ),
        ];
        for (name, test) in tests {
            trials.push(trial(format!("{variant}: {name}"), variant, || None, test));
        }
        let hindrance = || match cases::extensions() {
            Some(_) => None,
            None => Some("the folder of iptables' extensions is not found".to_owned()),
        };
        let name = format!("{variant}: checksum_missing");
        trials.push(trial(name, variant, hindrance, cases::checksum_missing));
    }
    // Only the legacy programs have a lock.
    let name = "legacy: lock_held".to_owned();
    trials.push(trial(name, "legacy", || None, cases::lock_held));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(
    name: String,
    variant: &'static str,
    hindrance: impl FnOnce() -> Option<String> + Send + 'static,
    test: impl FnOnce(&'static str) + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || {
        match missing(variant).or_else(hindrance) {
            None => {
                test(variant);
                Ok(Completion::Completed)
            }
            Some(reason) if std::env::var_os("CI").is_some() => {
                Err(Failed::from(format!("cannot run: {reason}")))
            }
            Some(reason) => {
                // A line that nobody can read is still better than a test that stops here.
                let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
                Ok(Completion::ignored_with(reason))
            }
        }
    })
}

/// What the tests of a family of programs lack here.
fn missing(variant: &str) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("needs root, to make network namespaces".to_owned());
    }
    for word in ["iptables", "ip6tables"] {
        let program = format!("{word}-{variant}-restore");
        let command = Command {
            program: program.clone(),
            arguments: vec!["--version".to_owned()],
            input: String::new(),
        };
        if Processes::new().run(&command).is_err() {
            return Some(format!("needs `{program}`"));
        }
    }
    None
}
