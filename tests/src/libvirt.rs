//! libvirt's own cases: networks, and the commands that its nftables backend issues for them.
//!
//! They are read where they lie, beside the workspace: their licence and authors are others'.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Namespace;

/// The folder of the cases, if it is there.
///
/// # Errors
/// Why there is none.
pub fn folder() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/libvirt");
    match folder.canonicalize() {
        Ok(folder) => Ok(folder),
        Err(error) => Err(format!(
            "libvirt's cases are not at {}: {error}",
            folder.display()
        )),
    }
}

/// A network, with the commands for it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's name without what follows the first part.
    pub name: String,
    /// The definition.
    pub xml: String,
    commands: Commands,
}

impl Case {
    /// All that lie in the folder, in the order of their names.
    #[must_use]
    pub fn all(folder: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(folder).expect("list libvirt's cases");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("list libvirt's cases").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let name = path.file_stem().expect("a file's name").to_string_lossy();
        Self {
            xml: read(path),
            commands: Commands::read(&path.with_file_name(format!("{name}-linux.nftables"))),
            name: name.into_owned(),
        }
    }

    /// The same network under another name, on another bridge, with other subnets: the definition
    /// and the commands with each of these replaced.
    #[must_use]
    pub fn moved(&self) -> Self {
        let moved = |text: &str| {
            text.replace("<name>default<", "<name>moved<")
                .replace("virbr0", "virbr9")
                .replace("192.168.122.", "192.168.222.")
                .replace("192.168.128.", "192.168.228.")
                .replace("2001:db8:ca2:2:", "2001:db8:ca2:9:")
        };
        let words = |words: &Vec<String>| words.iter().map(|word| moved(word)).collect();
        Self {
            name: format!("{}, moved", self.name),
            xml: moved(&self.xml),
            commands: Commands(self.commands.0.iter().map(words).collect()),
        }
    }

    /// The same network as the one of this number: with a name, a bridge and subnets of its own.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        let moved = |text: &str| {
            text.replace("<name>default<", &format!("<name>network{number}<"))
                .replace("virbr0", &format!("virbr{number}"))
                .replace("192.168.122.", &format!("192.168.{}.", 20 + number))
                .replace("192.168.128.", &format!("192.168.{}.", 60 + number))
                .replace("2001:db8:ca2:2:", &format!("2001:db8:ca2:{}:", 20 + number))
        };
        let words = |words: &Vec<String>| words.iter().map(|word| moved(word)).collect();
        Self {
            name: self.name.clone(),
            xml: moved(&self.xml),
            commands: Commands(self.commands.0.iter().map(words).collect()),
        }
    }

    /// Issues the commands.
    pub fn issue(&self, namespace: &Namespace) {
        self.commands.issue(namespace);
    }
}

/// Issues the commands that make the tables and chains of all networks.
pub fn issue_base(folder: &Path, namespace: &Namespace) {
    Commands::read(&folder.join("base.nftables")).issue(namespace);
}

/// Commands, each in its words.
#[derive(Debug, Clone)]
struct Commands(Vec<Vec<String>>);

impl Commands {
    /// One word a line, with a backslash behind all but a command's last.
    fn read(path: &Path) -> Self {
        let text = read(path);
        let mut commands = Vec::new();
        let mut words = Vec::new();
        for line in text.lines() {
            let (line, ends) = match line.strip_suffix(" \\") {
                Some(word) => (word, false),
                None => (line, true),
            };
            let unquoted = line.strip_prefix('\'').and_then(|l| l.strip_suffix('\''));
            let word = unquoted.unwrap_or(line);
            // `-ae insert`: options and a word.
            words.extend(match unquoted {
                Some(_) => vec![word.to_owned()],
                None => word.split(' ').map(str::to_owned).collect(),
            });
            if ends {
                commands.push(std::mem::take(&mut words));
            }
        }
        assert!(
            words.is_empty() && !commands.is_empty(),
            "{}",
            path.display()
        );
        Self(commands)
    }

    fn issue(&self, namespace: &Namespace) {
        for words in &self.0 {
            let (program, args) = words.split_first().expect("no command is empty");
            let answer = namespace.answer(Command::new(program).args(args), "");
            // libvirt asks first whether the table is there.
            let asks = args.first().is_some_and(|arg| arg == "list");
            assert!(asks || answer.code == Some(0), "{answer}");
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
