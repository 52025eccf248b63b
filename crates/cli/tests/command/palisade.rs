//! The command, called with nothing of the caller's surroundings.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// The binary that cargo built for these tests.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_palisade");

/// A network as libvirt's users have it.
pub(crate) const DEFAULT: &str = "\
<network>
  <name>default</name>
  <forward mode='nat'/>
  <bridge name='virbr0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'/>
</network>
";

/// Two more.
pub(crate) const TWO: &str = "\
[[network]]
name = 'lab'
bridge = 'virbr1'
mode = 'route'
subnets = ['10.20.0.1/25', 'fd00:20::1/64']

[[network]]
name = 'quiet'
bridge = 'virbr2'
subnets = ['10.30.0.1/24']
";

/// A folder to work in.
pub(crate) struct Palisade {
    folder: TempDir,
    environment: Vec<(&'static str, &'static str)>,
}

impl Palisade {
    /// With a state directory and a configuration of its own, so that those of the machine do not
    /// matter.
    pub(crate) fn new() -> Self {
        let palisade = Self {
            environment: vec![
                ("PALISADE_STATE_DIR", "state"),
                ("PALISADE_CONFIG", "palisade.toml"),
            ],
            ..Self::bare()
        };
        palisade.file("palisade.toml", "");
        palisade
    }

    /// With no environment at all: for what never comes as far as to look at state.
    pub(crate) fn bare() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
        }
    }

    /// Writes a file that commands can name; folders are made as needed.
    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes any command see this folder and nothing of the caller's environment.
    pub(crate) fn surround(&self, command: &mut std::process::Command) {
        command
            .env_clear()
            .envs(self.environment.iter().copied())
            .current_dir(self.folder.path());
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = std::process::Command::new(BINARY);
        self.surround(&mut command);
        command.args(arguments);
        Command::from_std(command)
    }

    /// What the command says, where, and its exit code, as text for people to read.
    pub(crate) fn transcript(&self, line: &str) -> String {
        self.transcript_with(line, "")
    }

    /// The same, with standard input.
    pub(crate) fn transcript_with(&self, line: &str, input: &str) -> String {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        self.transcript_of(&arguments, input)
    }

    /// The same, of arguments that may be empty or have spaces.
    pub(crate) fn transcript_of(&self, arguments: &[&str], input: &str) -> String {
        let output = self.command(arguments).write_stdin(input).output();
        let output = output.unwrap();
        let line = arguments.join(" ");
        let mut text = format!("$ palisade {line}\n");
        for (stream, bytes) in [("", &output.stdout), ("2> ", &output.stderr)] {
            for line in String::from_utf8_lossy(bytes).lines() {
                let _ = writeln!(text, "{}", format!("{stream}{line}").trim_end());
            }
        }
        match output.status.code() {
            Some(0) => {}
            Some(code) => text.push_str(&format!("exit code {code}\n")),
            None => panic!("{line}: {}", output.status),
        }
        text
    }

    /// Several commands after one another.
    pub(crate) fn transcripts(&self, lines: &[&str]) -> String {
        let each: Vec<String> = lines.iter().map(|line| self.transcript(line)).collect();
        each.join("\n")
    }

    /// Standard output of a command that must succeed without a word of complaint.
    pub(crate) fn output(&self, line: &str) -> String {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let output = self.command(&arguments).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && complaint.is_empty(),
            "{line}: {complaint}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it wrote as JSON, which must be all that it wrote.
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.output(line)).unwrap()
    }
}
