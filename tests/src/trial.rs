//! Running tests, and saying aloud which cannot run.

use std::io::Write;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// Tests with their names: a function's, or one made from data.
pub struct Trials(Vec<Trial>);

impl Trials {
    /// None yet.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default list of tests means nothing"
    )]
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a test, which fails by a panic.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, test: impl FnOnce() + Send + 'static) -> Self {
        let run = move || {
            if let Some(reason) = hindrance() {
                return skipped(reason);
            }
            test();
            Ok(Completion::Completed)
        };
        self.0.push(Trial::ignorable_test(name, run));
        self
    }

    /// Adds the tests of others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Adds a test that cannot run on this machine.
    #[must_use]
    pub fn without(mut self, name: impl Into<String>, reason: String) -> Self {
        self.0
            .push(Trial::ignorable_test(name, move || skipped(reason)));
        self
    }
}

/// The tests of these functions, each under the function's name.
#[macro_export]
macro_rules! trials {
    ($($test:ident),+ $(,)?) => {
        $crate::Trials::new()$(.with(stringify!($test), $test))+
    };
}

/// Runs the tests as `cargo test` does, with its options.
#[must_use]
pub fn run(trials: Trials) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials.0).exit_code()
}

/// The same, this many at a time unless an option says otherwise.
#[must_use]
pub fn run_side_by_side(trials: Trials, threads: usize) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(threads);
    libtest_mimic::run(&arguments, trials.0).exit_code()
}

/// A test that cannot run says so; where everything must run, that is a failure.
fn skipped(reason: String) -> Result<Completion, Failed> {
    if std::env::var_os("CI").is_some() {
        return Err(Failed::from(format!("cannot run: {reason}")));
    }
    // A line that nobody can read is still better than a test that stops here.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
    Ok(Completion::ignored_with(reason))
}

/// Why no test of the kernel can run here, if so.
fn hindrance() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some(
            "needs root, to make network namespaces: run `cargo xtask test` as root".into(),
        );
    }
    let missing = ["nft", "ip", "unshare"]
        .into_iter()
        .find(|program| !is_in_path(program));
    missing.map(|program| format!("needs `{program}`: run `cargo xtask setup`"))
}

/// Whether there is such a program.
#[must_use]
pub fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}
