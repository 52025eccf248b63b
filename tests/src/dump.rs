//! What `nft` lists, and what of it is compared.

use std::fmt;
use std::process::Command;

use similar::TextDiff;

use crate::Namespace;

/// A listing by `nft`, without what counters say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump(String);

impl Dump {
    /// All tables.
    #[track_caller]
    pub fn ruleset(namespace: &Namespace) -> Self {
        let mut nft = Command::new("nft");
        let listed = namespace.answer(nft.args(["-s", "list", "ruleset"]), "");
        Self(listed.stdout())
    }

    /// One table; none if there is no such table.
    #[track_caller]
    pub fn table(namespace: &Namespace, family: &str, table: &str) -> Option<Self> {
        let mut nft = Command::new("nft");
        let listed = namespace.answer(nft.args(["-s", "list", "table", family, table]), "");
        if listed.stderr.contains("No such file or directory") {
            return None;
        }
        Some(Self(listed.stdout()))
    }

    /// A text that is compared with listings.
    #[must_use]
    pub fn expected(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without comments, and without the set that holds a transaction's marker: what it means.
    #[must_use]
    pub fn bare(&self) -> Self {
        let mut bare = String::new();
        let mut in_marker = false;
        for line in self.0.lines() {
            if line.trim_start().starts_with("set transaction {") {
                in_marker = true;
            } else if in_marker {
                // Up to the blank line that parts it from what follows.
                in_marker = !line.is_empty() && line != "}";
                if line == "}" {
                    bare += "}\n";
                }
            } else if !line.trim_start().starts_with("comment \"") {
                bare += &without_comments(line);
                bare.push('\n');
            }
        }
        Self(bare)
    }

    /// With interfaces matched by name instead of by index: the one deliberate difference between
    /// libvirt's rules and ours.
    #[must_use]
    pub fn by_name(&self) -> Self {
        Self(
            self.0
                .replace("iif \"", "iifname \"")
                .replace("oif \"", "oifname \""),
        )
    }

    /// The rules of all chains, each with the chain's name.
    #[must_use]
    pub fn rules(&self) -> Vec<(&str, &str)> {
        let mut rules = Vec::new();
        let mut chain = None;
        for line in self.0.lines() {
            match line.trim() {
                "}" => chain = None,
                text => {
                    let name = text.strip_prefix("chain ");
                    if let Some(name) = name.and_then(|name| name.strip_suffix(" {")) {
                        chain = Some(name);
                    } else if let Some(chain) = chain
                        && !text.starts_with("type ")
                        && !text.starts_with("comment \"")
                    {
                        rules.push((chain, text));
                    }
                }
            }
        }
        rules
    }
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A line without `comment "..."`, which no quote can be in.
fn without_comments(line: &str) -> String {
    let mut rest = line;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once(" comment \"") {
        kept += before;
        rest = after.split_once('"').map_or("", |(_, after)| after);
    }
    kept + rest
}

/// Panics with the difference, line by line, if the two are not the same.
#[track_caller]
pub fn assert_same(title: &str, expected: (&str, &Dump), found: (&str, &Dump)) {
    if expected.1 == found.1 {
        return;
    }
    let diff = TextDiff::from_lines(expected.1.as_str(), found.1.as_str());
    let mut unified = diff.unified_diff();
    let unified = unified.context_radius(4).header(expected.0, found.0);
    panic!("{title}: they differ\n{unified}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "table ip t {\n\tcomment \"ours\"\n\tset transaction {\n\t\ttype mark\n\
        \t\telements = { 0x1 }\n\t}\n\n\tset s {\n\t\telements = { \"a\" counter comment \"x y\",\n\
        \t\t\t     \"b\" }\n\t}\n\n\tchain c {\n\t\ttype filter hook forward priority filter; policy \
        accept;\n\t\tiif \"a\" accept comment \"x: y\"\n\t}\n}\n";

    #[test]
    fn bare_keeps_what_it_means() {
        let bare = "table ip t {\n\tset s {\n\t\telements = { \"a\" counter,\n\t\t\t     \"b\" \
            }\n\t}\n\n\tchain c {\n\t\ttype filter hook forward priority filter; policy accept;\n\
            \t\tiif \"a\" accept\n\t}\n}\n";
        assert_eq!(Dump::expected(LISTED).bare().as_str(), bare);
    }

    #[test]
    fn rules_know_their_chain() {
        let dump = Dump::expected(LISTED).by_name();
        assert_eq!(
            dump.rules(),
            [("c", "iifname \"a\" accept comment \"x: y\"")]
        );
    }

    #[test]
    #[should_panic(expected = "-\tx\n+\ty\n")]
    fn what_differs_is_shown() {
        let (left, right) = (Dump::expected("\tx\n"), Dump::expected("\ty\n"));
        assert_same("texts", ("left", &left), ("right", &right));
    }
}
