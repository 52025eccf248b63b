//! Commands that mend: as a shell takes them, in the right namespace.

use std::path::PathBuf;

/// Writes commands for the host that was looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Mend {
    /// The network namespace that was looked at, if it is not the caller's.
    pub(super) namespace: Option<PathBuf>,
    /// The state directory, if it is not the usual one.
    pub(super) state_directory: Option<PathBuf>,
}

impl Mend {
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

    /// Sets what stands in a file below /proc/sys.
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

/// One word for a shell.
pub(super) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_one_word() {
        assert_eq!(word("virbr0"), "virbr0");
        assert_eq!(word("a;reboot"), "'a;reboot'");
        assert_eq!(word("it's"), r"'it'\''s'");
        let mend = Mend::default();
        let forwarding = "net/ipv4/conf/eth0.100/forwarding";
        assert_eq!(
            mend.sysctl(forwarding, "1"),
            "sysctl -w net/ipv4/conf/eth0.100/forwarding=1"
        );
        assert_eq!(
            mend.sysctl("net/ipv4/ip_forward", "1"),
            "sysctl -w net.ipv4.ip_forward=1"
        );
    }

    #[test]
    fn commands_go_where_was_looked() {
        let mend = Mend {
            namespace: Some("/run/netns/lab".into()),
            state_directory: Some("/tmp/s".into()),
        };
        assert_eq!(
            mend.inside("nft list ruleset"),
            "nsenter --net=/run/netns/lab nft list ruleset"
        );
        assert_eq!(
            mend.inside("a | b"),
            "nsenter --net=/run/netns/lab sh -c 'a | b'"
        );
        assert_eq!(
            mend.palisade("repair"),
            "palisade --netns /run/netns/lab --state-dir /tmp/s repair"
        );
    }
}
