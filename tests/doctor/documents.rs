//! `docs/json.md`: what it shows of each command is what the command prints, by keys and types.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palisade_tests::{Namespace, Palisade, Trials, trials};
use serde_json::Value;

pub(crate) fn add_to(trials: Trials) -> Trials {
    trials.and(trials![json_is_as_documented])
}

/// A definition with errors in it.
const BAD: &str = "name = 'x'\nbridge = 'virbr9'\nmode = 'nta'\nsubnets = ['10.0.0.1/240']\n";

/// How long a command that goes on takes to begin, and to tell what happened.
const BEGINNING: Duration = Duration::from_millis(800);

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json_is_as_documented() {
    let host = Namespace::new();
    host.bridges(["virbr0", "virbr1", "virbr2", "enp1s0"]);
    host.ip(
        "route add 192.168.122.0/24 dev virbr0\naddr add 203.0.113.2/24 dev enp1s0\n\
         route add default via 203.0.113.1",
    );
    host.sysctl("ipv4/ip_forward", "1");
    host.sysctl("ipv6/conf/all/forwarding", "1");
    let palisade = Palisade::new(&host);
    let folder = tempfile::tempdir().expect("make a folder");
    let put = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("write a definition");
    };
    put("networks.toml", &read("docs/examples/networks.toml"));
    put("bad.toml", BAD);

    let document = read("docs/json.md");
    let help = palisade.ok(["--help"]);
    let mut untold = commands(&help);
    let mut shown = 0;
    for example in document.split("```console\n").skip(1) {
        let (lines, rest) = example.split_once("```").expect("the end of commands");
        let (_, rest) = rest.split_once("```json").expect("what is printed");
        let (kind, rest) = rest.split_once('\n').expect("what is printed");
        let (expected, _) = rest.split_once("```").expect("the end of what is printed");
        let mut session = Session::new(&host, &palisade, folder.path());
        for line in lines.lines() {
            session.run(line.strip_prefix("$ ").expect("a command"));
        }
        let printed = session.end();
        let parse = |text: &str| -> Value {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {lines}{text}"))
        };
        let whole = |text: &str| match kind {
            "" => vec![parse(text)],
            // A line for each thing that happens.
            "l" => text.lines().map(parse).collect(),
            kind => panic!("json{kind}"),
        };
        let (real, expected) = (whole(&printed), whole(expected));
        let shapes = |values: &[Value]| values.iter().flat_map(shape).collect::<BTreeSet<_>>();
        assert_eq!(shapes(&real), shapes(&expected), "{lines}{printed}");
        assert_eq!(sorted(&real, &printed), printed, "keys in their order");
        for word in lines.split_whitespace() {
            untold.remove(word);
        }
        shown += 1;
    }
    assert!(shown > 20, "{shown}");
    assert!(untold.is_empty(), "{untold:?}");
}

/// All commands, as the help lists them.
fn commands(help: &str) -> BTreeSet<String> {
    let (_, commands) = help.split_once("Commands:\n").expect("commands");
    let (commands, _) = commands.split_once("\n\n").expect("their end");
    let named = commands.lines().filter(|line| !line.starts_with("   "));
    let mut names: BTreeSet<String> = named
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    names.remove("help");
    assert!(names.len() > 15, "{names:?}");
    names
}

/// The same as text, with keys in the order of the alphabet: what is printed must be just that.
fn sorted(values: &[Value], printed: &str) -> String {
    let lines = printed.lines().count();
    let text = |value: &Value| match lines == values.len() {
        true => format!("{value}\n"),
        false => format!("{value:#}\n"),
    };
    values.iter().map(text).collect()
}

/// Commands of one example. One that ends in `&` runs until the others have ended.
struct Session<'a> {
    host: &'a Namespace,
    palisade: &'a Palisade<'a>,
    folder: &'a Path,
    printed: String,
    beside: Option<Child>,
    /// Whether what is shown is what runs beside the others.
    shows_beside: bool,
}

impl<'a> Session<'a> {
    fn new(host: &'a Namespace, palisade: &'a Palisade<'a>, folder: &'a Path) -> Self {
        Self {
            host,
            palisade,
            folder,
            printed: String::new(),
            beside: None,
            shows_beside: false,
        }
    }

    /// What is shown is what the last command with `--format json` printed.
    fn run(&mut self, line: &str) {
        let (line, is_beside) = match line.strip_suffix(" &") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let Some(arguments) = line.strip_prefix("palisade ") else {
            let mut shell = Command::new("sh");
            self.host.answer(shell.args(["-c", line]), "").stdout();
            return;
        };
        let is_shown = arguments.contains("--format json");
        let mut command = self.palisade.command(arguments.split(' '));
        command.current_dir(self.folder);
        if is_beside {
            command.stdin(Stdio::null()).stdout(Stdio::piped());
            let child = self
                .host
                .inside(|| command.spawn().expect("run the command"));
            self.beside = Some(child);
            self.shows_beside = is_shown;
            std::thread::sleep(BEGINNING);
            return;
        }
        let answer = self.host.answer(&mut command, "");
        assert_ne!(answer.code, Some(2), "{answer}");
        if is_shown {
            // What is not a result is an error.
            self.printed = answer.stdout + &answer.stderr;
            self.shows_beside = false;
        }
    }

    /// What is shown.
    fn end(self) -> String {
        let Some(beside) = self.beside else {
            return self.printed;
        };
        std::thread::sleep(BEGINNING);
        let id = Pid::from_raw(i32::try_from(beside.id()).expect("a process"));
        // It may have ended by itself.
        let _ = kill(id, Signal::SIGTERM);
        let output = beside.wait_with_output().expect("wait for the command");
        match self.shows_beside {
            true => String::from_utf8(output.stdout).expect("text"),
            false => self.printed,
        }
    }
}

/// All that keys and types say: `.changes[].network: string`.
fn shape(value: &Value) -> BTreeSet<String> {
    fn collect(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(items) => {
                for item in items {
                    collect(item, &format!("{path}[]"), found);
                }
                "list"
            }
            Value::Object(members) => {
                for (key, member) in members {
                    collect(member, &format!("{path}.{key}"), found);
                }
                "object"
            }
        };
        found.insert(format!("{path}: {kind}"));
    }
    let mut found = BTreeSet::new();
    collect(value, "", &mut found);
    found
}
