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
        Self(without_marker(&listed.stdout()))
    }

    /// One table; none if there is no such table.
    #[track_caller]
    pub fn table(namespace: &Namespace, family: &str, table: &str) -> Option<Self> {
        let mut nft = Command::new("nft");
        let listed = namespace.answer(nft.args(["-s", "list", "table", family, table]), "");
        if listed.stderr.contains("No such file or directory") {
            return None;
        }
        Some(Self(without_marker(&listed.stdout())))
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
        let mut tables = self.tables();
        for table in &mut tables {
            for lines in table.objects.iter_mut().chain([&mut table.header]) {
                lines.retain(|line| !line.trim_start().starts_with("comment \""));
                for line in lines {
                    *line = without_comments(line);
                }
            }
        }
        Self::of(&tables)
    }

    /// Without what palisade has beyond libvirt: the administrator's place with all that leads there, and the
    /// chain of networks that are reached without NAT.
    #[must_use]
    pub fn as_libvirt_has_it(&self) -> Self {
        let mut tables = self.tables();
        for table in &mut tables {
            let is_admins = |line: &String| {
                let names = [
                    "admin_",
                    "guest_admin",
                    "guest_host",
                    "guest_between",
                    "guest_mss",
                ];
                names.iter().any(|name| line.contains(name))
            };
            table.objects.retain(|object| !is_admins(&object[0]));
            for object in &mut table.objects {
                object.retain(|line| !is_admins(line));
            }
        }
        Self::of(&tables)
    }

    /// Without the marker's set, and the others and the chains in the order of their names: those
    /// that are made later stand lower, which means nothing.
    #[must_use]
    pub fn settled(&self) -> Self {
        let mut tables = self.tables();
        for table in &mut tables {
            table.objects.sort();
        }
        Self::of(&tables)
    }

    /// Its tables, without the marker's sets.
    fn tables(&self) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        let mut in_object = false;
        for line in self
            .0
            .lines()
            .filter(|line| !line.is_empty() && *line != "}")
        {
            if !line.starts_with('\t') {
                tables.push(Table::default());
            }
            let table = tables.last_mut().expect("a listing begins with a table");
            if line.starts_with('\t') && line.ends_with(" {") {
                in_object = true;
                table.objects.push(Vec::new());
            }
            match table.objects.last_mut() {
                Some(object) if in_object => object.push(line.to_owned()),
                _ => table.header.push(line.to_owned()),
            }
            in_object &= line != "\t}";
        }
        for table in &mut tables {
            table
                .objects
                .retain(|object| object[0] != "\tset transaction {");
        }
        tables
    }

    fn of(tables: &[Table]) -> Self {
        let mut text = String::new();
        for table in tables {
            let objects: Vec<String> = table.objects.iter().map(|lines| lines.join("\n")).collect();
            let (header, objects) = (table.header.join("\n"), objects.join("\n\n"));
            text += &format!("{header}\n{objects}\n}}\n");
        }
        Self(text)
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
                    // With handles, one stands behind the brace.
                    if let Some((name, _)) = name.and_then(|name| name.split_once(" {")) {
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

/// A table as it is listed, line by line.
#[derive(Default)]
struct Table {
    header: Vec<String>,
    /// Its sets and chains.
    objects: Vec<Vec<String>>,
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

/// Without the one element of the set that holds the last transaction's marker: it is another after
/// each change.
fn without_marker(listing: &str) -> String {
    let mut is_marked = false;
    let mut kept = String::with_capacity(listing.len());
    for line in listing.lines() {
        match line.trim() {
            "set transaction {" => is_marked = true,
            "}" => is_marked = false,
            _ => {}
        }
        if !(is_marked && line.trim_start().starts_with("elements = ")) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
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
    fn settled_is_in_the_order_of_names() {
        let listed = "table ip t {\n\tset b {\n\t}\n\n\tset a {\n\t}\n}\n";
        let settled = "table ip t {\n\tset a {\n\t}\n\n\tset b {\n\t}\n}\n";
        assert_eq!(Dump::expected(listed).settled().as_str(), settled);
        assert_eq!(Dump::expected("").settled().as_str(), "");
    }

    #[test]
    fn rules_know_their_chain() {
        let dump = Dump::expected(LISTED).by_name();
        assert_eq!(
            dump.rules(),
            [("c", "iifname \"a\" accept comment \"x: y\"")]
        );
        let dump = Dump::expected(
            "table ip t { # handle 1\n\tchain c { # handle 2\n\t\tdrop # handle 3\n\t}\n}\n",
        );
        assert_eq!(dump.rules(), [("c", "drop # handle 3")]);
    }

    #[test]
    #[should_panic(expected = "-\tx\n+\ty\n")]
    fn what_differs_is_shown() {
        let (left, right) = (Dump::expected("\tx\n"), Dump::expected("\ty\n"));
        assert_same("texts", ("left", &left), ("right", &right));
    }
}
