//! What a program answered.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

/// The end of a program: its exit code and what it printed.
#[derive(Debug)]
pub struct Answer {
    /// What was run, for people.
    pub command: String,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    /// Runs a command to its end, with this text as its standard input.
    pub fn of(command: &mut Command, input: &str) -> Self {
        let told = format!("{command:?}");
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("cannot run {told}: {error}"));
        let stdin = child.stdin.take();
        let output = thread::scope(|scope| {
            // Beside the reading: a program may print more than a pipe holds before it reads on.
            scope.spawn(move || {
                if let Some(mut stdin) = stdin {
                    // A program may end without having read all.
                    let _ = stdin.write_all(input.as_bytes());
                }
            });
            child.wait_with_output()
        });
        let output = output.unwrap_or_else(|error| panic!("cannot wait for {told}: {error}"));
        Self::new(told, &output)
    }

    pub(crate) fn new(command: String, output: &Output) -> Self {
        Self {
            command,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its standard output, if all went well; a panic with all that it said otherwise.
    #[track_caller]
    pub fn stdout(self) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        self.stdout
    }

    /// Its standard error, if it ended with this code; a panic with all that it said otherwise.
    #[track_caller]
    pub fn refusal(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self}");
        let lines = self.stderr.lines().count();
        assert!(
            (1..=4).contains(&lines),
            "one to four lines of error: {self}"
        );
        self.stderr
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            command,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{command}\nexit code {code:?}\n--- standard error\n{stderr}\
             --- standard output\n{stdout}---"
        )
    }
}
