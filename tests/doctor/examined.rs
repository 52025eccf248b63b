//! What `doctor` found, read as programs read it.

use std::process::Command;

use palisade_tests::{Answer, Namespace, Palisade};
use serde_json::Value;

/// What was found, by whom.
pub(crate) struct Examined<'a> {
    palisade: &'a Palisade<'a>,
    host: &'a Namespace,
    findings: Vec<Value>,
    text: String,
}

/// Lets `doctor` look at a host, for people and for programs: both must be told the same.
#[track_caller]
pub(crate) fn examine<'a>(host: &'a Namespace, palisade: &'a Palisade<'a>) -> Examined<'a> {
    let answer = palisade.answer(["doctor"]);
    let told = palisade.answer(["doctor", "--format", "json"]);
    assert_eq!(answer.code, told.code, "{answer}\n{told}");
    let json: Value = serde_json::from_str(&told.stdout)
        .unwrap_or_else(|error| panic!("no JSON: {error}\n{told}"));
    let findings = json["findings"].as_array().expect("findings").clone();
    let expected = if findings.is_empty() { 0 } else { 3 };
    assert_eq!(answer.code, Some(expected), "{answer}");
    assert_eq!(json["healthy"], findings.is_empty());
    for finding in &findings {
        for key in ["check", "severity", "summary", "meaning"] {
            let said = finding[key].as_str().expect("a text");
            assert!(answer.stdout.contains(said), "`{said}` in {answer}");
        }
        for key in ["evidence", "mend"] {
            let some = finding[key].as_array().expect("a list");
            assert!(!some.is_empty(), "{key} of {finding:#}");
        }
    }
    Examined {
        palisade,
        host,
        findings,
        text: answer.stdout,
    }
}

/// Nothing is wrong.
#[track_caller]
pub(crate) fn assert_healthy(host: &Namespace, palisade: &Palisade<'_>) {
    let examined = examine(host, palisade);
    assert_eq!(examined.text, "nothing found\n");
}

impl Examined<'_> {
    /// The findings of a check.
    pub(crate) fn of(&self, check: &str) -> Vec<&Value> {
        let is_it = |finding: &&Value| finding["check"] == check;
        self.findings.iter().filter(is_it).collect()
    }

    /// The one finding of a check, in which all of these words stand.
    #[track_caller]
    pub(crate) fn one(&self, check: &str, words: &[&str]) -> &Value {
        let found = self.of(check);
        let [one] = found.as_slice() else {
            panic!("one finding of {check} in {}", self.text);
        };
        let text = one.to_string();
        for word in words {
            assert!(text.contains(word), "`{word}` in {one:#}");
        }
        one
    }

    /// These checks and no others found something.
    #[track_caller]
    pub(crate) fn assert_only(&self, checks: &[&str]) {
        for finding in &self.findings {
            let check = finding["check"].as_str().expect("a check");
            assert!(
                checks.contains(&check),
                "{check} is not meant:\n{}",
                self.text
            );
        }
        for check in checks {
            assert!(!self.of(check).is_empty(), "no {check} in {}", self.text);
        }
    }

    /// The commands that mend it, each once.
    pub(crate) fn mends(&self) -> Vec<String> {
        let all = self.findings.iter().flat_map(|finding| {
            let commands = finding["mend"].as_array().into_iter().flatten();
            commands.filter_map(|command| command.as_str().map(str::to_owned))
        });
        let mut mends: Vec<String> = Vec::new();
        for command in all {
            if !mends.contains(&command) {
                mends.push(command);
            }
        }
        mends
    }

    /// Does what was said.
    #[track_caller]
    pub(crate) fn mend(&self) {
        for command in self.mends() {
            self.run(&command, &[]).stdout();
        }
    }

    /// Runs a command as whoever reads the finding would, by other programs before it.
    pub(crate) fn run(&self, command: &str, prefix: &[&str]) -> Answer {
        let palisade = self.palisade.command::<&str>([]);
        let program = std::path::Path::new(palisade.get_program());
        let folder = program.parent().expect("the folder of the command");
        let path = std::env::var("PATH").unwrap_or_default();
        let words: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(["sh", "-c", command])
            .collect();
        let mut shell = Command::new(words[0]);
        shell.args(&words[1..]);
        shell.env("PATH", format!("{}:{path}", folder.display()));
        self.host.answer(&mut shell, "")
    }

    /// Does what was said, after which nothing is wrong any more.
    #[track_caller]
    pub(crate) fn assert_mended(&self) {
        self.mend();
        assert_healthy(self.host, self.palisade);
    }
}
