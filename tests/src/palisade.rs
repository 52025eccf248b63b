//! The command `palisade` in a namespace, with a state directory of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Answer, Definition, Dump, Namespace, assert_same, binary};

/// The command, with the options that all its calls share.
#[derive(Debug)]
pub struct Palisade<'a> {
    namespace: &'a Namespace,
    folder: TempDir,
    state: PathBuf,
    options: Vec<String>,
    bus: Option<String>,
}

impl<'a> Palisade<'a> {
    /// The command in this namespace.
    #[must_use]
    pub fn new(namespace: &'a Namespace) -> Self {
        let folder = folder();
        Self {
            namespace,
            state: folder.path().join("state"),
            folder,
            options: Vec::new(),
            bus: None,
        }
    }

    /// The command in this namespace, with one of the layouts.
    #[must_use]
    pub fn with_layout(namespace: &'a Namespace, layout: &str) -> Self {
        Self::new(namespace).with(["--layout", layout])
    }

    /// With these options beside.
    #[must_use]
    pub fn with<'b>(mut self, options: impl IntoIterator<Item = &'b str>) -> Self {
        self.options.extend(options.into_iter().map(str::to_owned));
        self
    }

    /// With this address of the system bus.
    #[must_use]
    pub fn on_bus(mut self, address: String) -> Self {
        self.bus = Some(address);
        self
    }

    /// With the state directory of another.
    #[must_use]
    pub fn sharing(mut self, other: &Palisade<'_>) -> Self {
        self.state.clone_from(&other.state);
        self
    }

    /// With this state directory, which stays.
    #[must_use]
    pub fn keeping_state_in(mut self, folder: &Path) -> Self {
        self.state = folder.to_owned();
        self
    }

    /// The state directory.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Puts definitions into files, which keep their order.
    pub fn files<'b>(&self, definitions: impl IntoIterator<Item = &'b Definition>) -> Vec<PathBuf> {
        self.texts(definitions.into_iter().map(Definition::xml))
    }

    /// Puts texts into files, which keep their order.
    pub fn texts<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) -> Vec<PathBuf> {
        let folder = TempDir::new_in(self.folder.path()).expect("make a folder");
        // It goes with the folder that it lies in.
        let folder = folder.keep();
        let put = |(i, text): (usize, T)| {
            let path = folder.join(format!("{i:05}.xml"));
            std::fs::write(&path, text.as_ref()).expect("write a definition");
            path
        };
        texts.into_iter().enumerate().map(put).collect()
    }

    /// A call that has not begun.
    pub fn command<A: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.prefixed(&[]);
        command.args(args);
        command
    }

    /// The same, run by another program, such as `unshare`.
    pub fn command_by<A: AsRef<std::ffi::OsStr>>(
        &self,
        prefix: &[&str],
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = self.prefixed(prefix);
        command.args(args);
        command
    }

    fn prefixed(&self, prefix: &[&str]) -> Command {
        let binary = binary::palisade();
        let mut command = match prefix {
            [] => Command::new(binary),
            [program, args @ ..] => {
                let mut command = Command::new(program);
                command.args(args).arg(binary);
                command
            }
        };
        // Nothing of the machine's own settings shall count.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PALISADE_") {
                command.env_remove(name);
            }
        }
        command.env("NO_COLOR", "1").current_dir(self.folder.path());
        if let Some(address) = &self.bus {
            command.env("DBUS_SYSTEM_BUS_ADDRESS", address);
        }
        command.arg("--state-dir").arg(self.state());
        command.args(&self.options);
        command
    }

    /// Calls it, and waits for what it answers.
    pub fn answer<A: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Answer {
        self.namespace.answer(&mut self.command(args), "")
    }

    /// Calls it; what it printed.
    #[track_caller]
    pub fn ok<A: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        self.answer(args).stdout()
    }

    /// Starts or replaces networks, in one command.
    pub fn apply<'b>(&self, definitions: impl IntoIterator<Item = &'b Definition>) -> Answer {
        self.on_files("apply", self.files(definitions))
    }

    /// What `apply` would install, as text for `nft -f`.
    #[track_caller]
    pub fn render<'b>(&self, definitions: impl IntoIterator<Item = &'b Definition>) -> String {
        self.on_files("render", self.files(definitions)).stdout()
    }

    /// A command on files.
    pub fn on_files<F: AsRef<Path>>(
        &self,
        command: &str,
        files: impl IntoIterator<Item = F>,
    ) -> Answer {
        let mut args = vec![std::ffi::OsString::from(command)];
        args.extend(files.into_iter().map(|file| file.as_ref().into()));
        self.answer(args)
    }

    /// The names of the running networks, in the order of the alphabet.
    #[track_caller]
    pub fn running(&self) -> Vec<String> {
        let listed = self.ok(["--format", "json", "list"]);
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("list prints JSON");
        let networks = listed.as_array().expect("an array of networks");
        let name = |network: &serde_json::Value| {
            let name = network["name"].as_str().expect("each network has a name");
            name.to_owned()
        };
        let mut names: Vec<String> = networks.iter().map(name).collect();
        names.sort();
        names
    }
}

/// In memory where that is possible, as the state directory is by default: a file synced on a disk
/// for each of thousands of networks takes a minute.
fn folder() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .expect("make a folder")
}

/// Compares what stands in a namespace with what these networks are, applied to an empty kernel in
/// one command.
#[track_caller]
pub fn assert_as_applied<'b>(
    namespace: &Namespace,
    layout: &str,
    definitions: impl IntoIterator<Item = &'b Definition>,
) {
    let fresh = Namespace::new();
    let palisade = Palisade::with_layout(&fresh, layout);
    palisade.apply(definitions).stdout();
    assert_same(
        layout,
        ("applied afresh", &Dump::ruleset(&fresh).settled()),
        ("found", &Dump::ruleset(namespace).settled()),
    );
}
