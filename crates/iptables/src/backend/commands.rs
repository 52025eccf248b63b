//! Commands as people read them in a plan.

use palisade_core::backend::{Line, Operations, Sign};
use palisade_core::network::Family;

use crate::rule::{Table, tag};
use crate::run::word;
use crate::text::Command;

/// Commands on a table, as the program reads them.
#[derive(Debug)]
pub(super) struct Commands {
    pub(super) family: Family,
    pub(super) table: Table,
    pub(super) commands: Vec<Command>,
}

impl Operations for Commands {
    fn lines(&self) -> Vec<Line> {
        let commands = self.commands.iter();
        let line = |command| of(self.family, self.table, command);
        commands.map(line).collect()
    }
}

/// `iptables -t filter -I PALISADE_FWO 2 -s ...`: what a user would type.
fn of(family: Family, table: Table, command: &Command) -> Line {
    let (sign, words) = match command {
        Command::NewChain(_) => (Sign::Comes, None),
        Command::DeleteChain(_) | Command::Flush(_) => (Sign::Goes, None),
        Command::Insert { words, .. } => (Sign::Comes, Some(words)),
        Command::Delete { words, .. } => (Sign::Goes, Some(words)),
    };
    let mut command = command.clone();
    match &mut command {
        Command::Insert { counters, .. } => *counters = None,
        Command::Delete { at, .. } => *at = None,
        _ => {}
    }
    Line {
        network: words.and_then(tag).map(|(network, _)| network),
        sign,
        text: format!("{} -t {} {command}", word(family), table.name()),
    }
}
