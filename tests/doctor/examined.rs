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
    // A note alone is no reason to fail.
    let healthy = findings.iter().all(|finding| finding["severity"] == "note");
    let expected = if healthy { 0 } else { 3 };
    assert_eq!(answer.code, Some(expected), "{answer}");
    assert_eq!(json["healthy"], healthy);
    for key in ["looked_at", "not_looked_at"] {
        let places = json[key].as_array().expect("a list");
        assert!(!places.is_empty(), "{key} of {json:#}");
    }
    for finding in &findings {
        for key in ["id", "severity", "summary", "impact"] {
            let said = finding[key].as_str().expect("a text");
            assert!(answer.stdout.contains(said), "`{said}` in {answer}");
        }
        let evidence = finding["evidence"].as_array().expect("a list");
        assert!(!evidence.is_empty(), "evidence of {finding:#}");
        let has_advice = finding["fix"]["advice"].is_string();
        assert!(has_advice || !commands(finding).is_empty(), "{finding:#}");
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
    assert!(
        examined.text.starts_with("nothing found\n"),
        "{}",
        examined.text
    );
}

/// The commands that fix what was found.
pub(crate) fn commands(finding: &Value) -> &[Value] {
    finding["fix"]["commands"].as_array().expect("a list")
}

impl Examined<'_> {
    /// The findings of a check.
    pub(crate) fn of(&self, check: &str) -> Vec<&Value> {
        let is_it = |finding: &&Value| finding["id"] == check;
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
            let check = finding["id"].as_str().expect("a check");
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
            let commands = commands(finding).iter();
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
