//! Others add one network and remove it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use palisade::{Layout, TableName};
use palisade_netlink::Socket;
use palisade_nft::dump::Reader;
use palisade_nft::object::{Family, Rule};
use palisade_nft::parts::{Batch, commit};

use super::super::amount::Amount;
use super::super::case::Case;
use super::super::namespace::Namespace;
use super::super::text;
use super::pair::Pair;
use super::{Contestant, Label, What};

/// `nft -f` with the rules of one network, inserted beside libvirt's rules of the others. They go
/// as libvirt takes them away: by their handles.
pub(in super::super) struct NftPair {
    namespace: Namespace,
    socket: Socket,
    replies: Vec<u8>,
    nft: PathBuf,
    add: PathBuf,
    /// Where the commands that delete are written.
    remove: PathBuf,
    /// The highest handle before.
    highest: u64,
}

impl NftPair {
    pub(in super::super) fn new(case: &Case<'_>) -> Result<Self, String> {
        let namespace = flat(case)?;
        let scratch = case.ground.scratch;
        let mut pair = Self {
            socket: namespace.socket()?,
            namespace,
            replies: Vec::new(),
            nft: case.ground.nft.clone(),
            add: scratch.write("add-one.nft", &text::inserts(&case.one)?.join("\n"))?,
            remove: scratch.write("remove-one.nft", "")?,
            highest: 0,
        };
        pair.highest = handles(&pair.rules()?).max().unwrap_or(0);
        Ok(pair)
    }

    fn rules(&mut self) -> Result<Vec<Rule>, String> {
        let mut reader = Reader::new(&mut self.socket, &mut self.replies);
        reader
            .rules(Family::Ip, TableName::default().as_str())
            .map_err(|error| error.to_string())
    }
}

fn handles(rules: &[Rule]) -> impl Iterator<Item = u64> {
    rules.iter().filter_map(|rule| rule.handle)
}

/// A namespace with libvirt's rules for the networks that stay.
fn flat(case: &Case<'_>) -> Result<Namespace, String> {
    let namespace = Namespace::new()?;
    let mut socket = namespace.socket()?;
    let batch = &case.recording(Layout::Flat)?.batch;
    let committed = commit(&mut socket, batch, &mut Vec::new());
    committed.map_err(|error| error.to_string())?;
    Ok(namespace)
}

impl Pair for NftPair {
    fn add(&mut self) -> Result<Duration, String> {
        self.namespace
            .time(Command::new(&self.nft).arg("-f").arg(&self.add))
    }

    fn remove(&mut self) -> Result<Duration, String> {
        let rules = self.rules()?;
        let ours = |rule: &&Rule| rule.handle.is_some_and(|handle| handle > self.highest);
        let mut commands = String::new();
        for rule in rules.iter().filter(ours) {
            let (table, chain) = (&rule.table, &rule.chain);
            let handle = rule.handle.unwrap_or_default();
            commands += &format!("delete rule ip {table} {chain} handle {handle}\n");
        }
        std::fs::write(&self.remove, commands).map_err(|error| error.to_string())?;
        self.namespace
            .time(Command::new(&self.nft).arg("-f").arg(&self.remove))
    }
}

/// A process `nft` for each rule of one network, beside libvirt's rules of the others.
pub(in super::super) struct EachRule {
    label: Label,
    pair: NftPair,
    inserts: Vec<String>,
}

impl EachRule {
    /// One network more beside all of a case.
    pub(in super::super) fn of_one(case: &Case<'_>) -> Result<Self, String> {
        Ok(Self {
            label: Label::other(What::NftEach, case.size()),
            pair: NftPair::new(case)?,
            inserts: text::inserts(&case.one)?,
        })
    }

    /// As many networks as there are in a case, beside them.
    pub(in super::super) fn of_all(case: &Case<'_>) -> Result<Self, String> {
        let mut each = Self::of_one(case)?;
        let rules = each.inserts.len() * case.size();
        each.inserts = each.inserts.iter().cloned().cycle().take(rules).collect();
        Ok(each)
    }
}

impl Contestant for EachRule {
    fn label(&self) -> Label {
        self.label
    }

    fn run(&mut self) -> Result<Amount, String> {
        let mut took = Duration::ZERO;
        for insert in &self.inserts {
            let mut nft = Command::new(&self.pair.nft);
            took += self.pair.namespace.time(nft.arg(insert))?;
        }
        let rules = self.pair.rules()?;
        let mut batch = Batch::new(None);
        for rule in &rules {
            match rule.handle {
                Some(handle) if handle > self.pair.highest => {
                    batch.delete_rule(rule.family, &rule.table, &rule.chain, handle);
                }
                _ => {}
            }
        }
        let (socket, replies) = (&mut self.pair.socket, &mut self.pair.replies);
        commit(socket, &batch.finish(), replies).map_err(|error| error.to_string())?;
        Ok(took.into())
    }
}

/// `iptables-restore --noflush` of both families with the rules of one network.
pub(in super::super) struct RestorePair {
    namespace: Namespace,
    add: Vec<Command>,
    remove: Vec<Command>,
}

impl RestorePair {
    /// `variant` is `legacy` or `nft`.
    pub(in super::super) fn new(case: &Case<'_>, variant: &str) -> Result<Self, String> {
        let namespace = Namespace::new()?;
        for mut restore in case.restore(variant)? {
            namespace.time(&mut restore)?;
        }
        let add = text::iptables_of_one(&case.one)?;
        let remove = add
            .clone()
            .map(|text| text.replace("\n-I ", "\n-D ").replace("\n-A ", "\n-D "));
        Ok(Self {
            namespace,
            add: case.ground.restore(variant, "add-one", &add)?,
            remove: case.ground.restore(variant, "remove-one", &remove)?,
        })
    }

    fn run(namespace: &Namespace, programs: &mut [Command]) -> Result<Duration, String> {
        let mut took = Duration::ZERO;
        for program in programs {
            took += namespace.time(program)?;
        }
        Ok(took)
    }
}

impl Pair for RestorePair {
    fn add(&mut self) -> Result<Duration, String> {
        Self::run(&self.namespace, &mut self.add)
    }

    fn remove(&mut self) -> Result<Duration, String> {
        Self::run(&self.namespace, &mut self.remove)
    }
}
