//! Commands that fix something, as a shell reads them, in the right namespace.

use std::path::PathBuf;

use crate::shell::word;

/// Writes commands for the host that was examined.
#[derive(Debug, Clone, Default)]
pub(super) struct Commands {
    /// The network namespace that was examined, if it is not the caller's.
    pub(super) namespace: Option<PathBuf>,
    /// The state directory, if it is not the usual one.
    pub(super) state_directory: Option<PathBuf>,
}

impl Commands {
    /// A command on the network namespace.
    pub(super) fn inside(&self, command: impl AsRef<str>) -> String {
        let command = command.as_ref();
        match &self.namespace {
            None => command.to_owned(),
            Some(namespace) => {
                let namespace = word(&namespace.to_string_lossy());
                // A pipe or a list of commands is for a shell inside.
                let command = if command.contains(['|', ';', '&']) {
                    format!("sh -c {}", word(command))
                } else {
                    command.to_owned()
                };
                format!("nsenter --net={namespace} {command}")
            }
        }
    }

    /// A command of palisade.
    pub(super) fn palisade(&self, arguments: &str) -> String {
        let mut command = "palisade".to_owned();
        if let Some(namespace) = &self.namespace {
            command += &format!(" --netns {}", word(&namespace.to_string_lossy()));
        }
        if let Some(directory) = &self.state_directory {
            command += &format!(" --state-dir {}", word(&directory.to_string_lossy()));
        }
        format!("{command} {arguments}")
    }

    /// Sets the value of a file below /proc/sys.
    pub(super) fn sysctl(&self, path: &str, value: &str) -> String {
        // With slashes, a name that has dots is still one.
        let key = if path.contains('.') {
            path.to_owned()
        } else {
            path.replace('/', ".")
        };
        self.inside(format!("sysctl -w {}={value}", word(&key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_in_names_stay() {
        let commands = Commands::default();
        let forwarding = "net/ipv4/conf/eth0.100/forwarding";
        assert_eq!(
            commands.sysctl(forwarding, "1"),
            "sysctl -w net/ipv4/conf/eth0.100/forwarding=1"
        );
        assert_eq!(
            commands.sysctl("net/ipv4/ip_forward", "1"),
            "sysctl -w net.ipv4.ip_forward=1"
        );
    }

    #[test]
    fn commands_are_for_the_examined_namespace() {
        let commands = Commands {
            namespace: Some("/run/netns/lab".into()),
            state_directory: Some("/tmp/s".into()),
        };
        assert_eq!(
            commands.inside("nft list ruleset"),
            "nsenter --net=/run/netns/lab nft list ruleset"
        );
        assert_eq!(
            commands.inside("a | b"),
            "nsenter --net=/run/netns/lab sh -c 'a | b'"
        );
        assert_eq!(
            commands.palisade("repair"),
            "palisade --netns /run/netns/lab --state-dir /tmp/s repair"
        );
    }
}
