//! libvirt's own cases: networks, and the commands that its backends issue for them.
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

/// Which of libvirt's backends issues commands, and by which programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `nft`.
    Nftables,
    /// `iptables-legacy` and `ip6tables-legacy`.
    IptablesLegacy,
    /// `iptables-nft` and `ip6tables-nft`.
    IptablesNft,
}

impl Backend {
    /// How the files with its commands end.
    fn extension(self) -> &'static str {
        match self {
            Self::Nftables => "nftables",
            Self::IptablesLegacy | Self::IptablesNft => "iptables",
        }
    }

    /// The program that a command names, as it is called here.
    fn program(self, named: &str) -> String {
        match self {
            Self::Nftables => named.to_owned(),
            Self::IptablesLegacy => format!("{named}-legacy"),
            Self::IptablesNft => format!("{named}-nft"),
        }
    }
}

/// A network, with the commands for it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's name without what follows the first part.
    pub name: String,
    /// The definition.
    pub xml: String,
    nftables: Commands,
    iptables: Commands,
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
        let commands = |backend: Backend| {
            let file = format!("{name}-linux.{}", backend.extension());
            Commands::read(&path.with_file_name(file))
        };
        Self {
            xml: read(path),
            nftables: commands(Backend::Nftables),
            iptables: commands(Backend::IptablesLegacy),
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
        Self {
            name: format!("{}, moved", self.name),
            ..self.with(moved)
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
        self.with(moved)
    }

    /// The same with every word replaced.
    fn with(&self, replaced: impl Fn(&str) -> String) -> Self {
        let commands = |Commands(all): &Commands| {
            let command = |words: &Vec<String>| words.iter().map(|word| replaced(word)).collect();
            Commands(all.iter().map(command).collect())
        };
        Self {
            name: self.name.clone(),
            xml: replaced(&self.xml),
            nftables: commands(&self.nftables),
            iptables: commands(&self.iptables),
        }
    }

    /// Issues the commands of one of the backends.
    pub fn issue(&self, backend: Backend, namespace: &Namespace) {
        let commands = match backend {
            Backend::Nftables => &self.nftables,
            Backend::IptablesLegacy | Backend::IptablesNft => &self.iptables,
        };
        commands.issue(backend, namespace);
    }
}

/// Issues the commands that make the tables and chains of all networks.
pub fn issue_base(folder: &Path, backend: Backend, namespace: &Namespace) {
    let file = format!("base.{}", backend.extension());
    Commands::read(&folder.join(file)).issue(backend, namespace);
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
            let bare = |word| unquoted(word).unwrap_or(word).to_owned();
            match unquoted(line) {
                Some(word) => words.push(word.to_owned()),
                // `-ae insert`, `-p udp '!'`: options and a word.
                None => words.extend(line.split(' ').map(bare)),
            }
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

    fn issue(&self, backend: Backend, namespace: &Namespace) {
        for words in &self.0 {
            let (program, args) = words.split_first().expect("no command is empty");
            let program = backend.program(program);
            let answer = namespace.answer(Command::new(program).args(args), "");
            // libvirt asks first what is there.
            let asks = args
                .iter()
                .any(|arg| arg == "list" || arg == "--list-rules");
            assert!(asks || answer.code == Some(0), "{answer}");
        }
    }
}

/// What stands between quotes.
fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
