//! The check by which libvirt's author showed that both of his backends mean the same, by machine:
//! what `iptables-restore-translate` makes of the iptables backend, beside the layout `flat`.
//!
//! Only three things may differ, as he named them: the names of tables and chains are private; the
//! accepts for services of the host are iptables' alone, since an accept in a private table cannot
//! override others; and nftables has no counterpart of CHECKSUM. The first is passed over by looking
//! at what packets meet, the others are known by the purpose that each rule names.

use std::process::Command;

use palisade::network::Family;
use palisade_core::rules::{Role, RuleKind, untag};
use palisade_iptables::rule::{self, Table};
use palisade_nft::program::Program;
use palisade_tests::iptables::PROGRAMS;
use palisade_tests::{Definition, Namespace, Palisade};

use crate::dumped::{program, saved, table};
use crate::mutants;
use crate::translation::{Bare, Way, way};

const INPUT: u32 = 1;
const FORWARD: u32 = 2;
const OUTPUT: u32 = 3;
const POSTROUTING: u32 = 4;

pub(crate) fn iptables_translated_is_flat() {
    for set in crate::sets::sets() {
        let flat = Namespace::new();
        Palisade::with_layout(&flat, "flat").apply(&set).stdout();
        for programs in PROGRAMS {
            for family in Family::BOTH {
                let translated = Translated::of(&set, programs, family);
                translated.assert_that_the_rest_is_known();
                let flat = program(&flat, family);
                assert_eq!(translated.met(), met(flat.as_ref()));
                assert_eq!(translated.administrators(), at_host(flat.as_ref()));
                // Were flat another one, it would show, but in chains that these networks have no use for.
                let is_unused = |what: &str| {
                    ["guest_mss", "guest_between"]
                        .iter()
                        .any(|chain| what.contains(chain))
                };
                let mutants = flat.iter().flat_map(mutants::of_program);
                for mutant in mutants.filter(|mutant| !is_unused(&mutant.what)) {
                    let mutant_is = (met(Some(&mutant.result)), at_host(Some(&mutant.result)));
                    let translated_is = (translated.met(), translated.administrators());
                    assert_ne!(translated_is, mutant_is, "{}", mutant.what);
                }
            }
        }
    }
}

/// What forwarded packets meet, and what those that leave do.
fn met(flat: Option<&Program>) -> [Option<Way>; 2] {
    [at(flat, "filter", FORWARD), at(flat, "nat", POSTROUTING)]
}

/// What the translator makes of the tables of a family, as the kernel then has it.
struct Translated {
    filter: Option<Program>,
    nat: Option<Program>,
    mangle: Option<Program>,
    /// What iptables had in our chain for mending packets.
    mending: Vec<Option<RuleKind>>,
}

impl Translated {
    fn of(set: &[Definition], programs: &str, family: Family) -> Self {
        let (namespace, translated) = (Namespace::new(), Namespace::new());
        let options = ["--backend", "iptables", "--iptables", programs];
        let palisade = Palisade::new(&namespace).with(options);
        palisade.apply(set).stdout();
        let saved = saved(&namespace, programs, family);
        let text: String = saved.iter().map(ToString::to_string).collect();
        let program = match family {
            Family::Ipv4 => "iptables-restore-translate",
            Family::Ipv6 => "ip6tables-restore-translate",
        };
        let mut translate = Command::new(program);
        // It reads a file alone.
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("write what was saved");
        let script = namespace
            .answer(translate.arg("-f").arg(file.path()), "")
            .stdout();
        translated.nft(&script);
        let mangle = saved.iter().find(|table| table.name == "mangle");
        let ours = |chain: &str| Table::Mangle.chains().any(|ours| ours == chain);
        let rules = mangle.into_iter().flat_map(|table| &table.rules);
        Self {
            filter: table(&translated, family, "filter"),
            nat: table(&translated, family, "nat"),
            mangle: table(&translated, family, "mangle"),
            mending: rules
                .filter(|rule| ours(&rule.chain))
                .map(|rule| rule::tag(&rule.words).map(|(_, kind)| kind))
                .collect(),
        }
    }

    fn met(&self) -> [Option<Way>; 2] {
        [
            at(self.filter.as_ref(), "filter", FORWARD),
            at(self.nat.as_ref(), "nat", POSTROUTING),
        ]
    }

    /// What packets of the host's own meet of the administrator's.
    fn administrators(&self) -> [Vec<(u32, Bare)>; 2] {
        at_host(self.filter.as_ref()).map(|rules| {
            let is_administrators =
                |(_, rule): &(u32, Bare)| has_role(rule, |role| role == Role::HostAdmin);
            rules.into_iter().filter(is_administrators).collect()
        })
    }

    /// What flat has not is for services of the host, or mends packets.
    fn assert_that_the_rest_is_known(&self) {
        for (_, rule) in at_host(self.filter.as_ref()).concat() {
            let of_host = [Role::HostInput, Role::HostOutput, Role::HostAdmin];
            assert!(has_role(&rule, |role| of_host.contains(&role)), "{rule:?}");
        }
        let mended = at(self.mangle.as_ref(), "filter", POSTROUTING);
        let left = mended.iter().flat_map(|way| way.chains.iter().flatten());
        assert_eq!(left.count(), 0, "a rule that mends packets was translated");
        let is_checksum = |purpose: &Option<RuleKind>| *purpose == Some(RuleKind::Checksum);
        assert!(self.mending.iter().all(is_checksum), "{:?}", self.mending);
    }
}

/// What packets meet at a hook; none if that is nothing: a family's chains stand in iptables
/// whether they are needed or not.
fn at(program: Option<&Program>, kind: &str, hook: u32) -> Option<Way> {
    let mut way = way(program?, kind, hook)?;
    way.chains.retain(|chain| !chain.is_empty());
    if way.chains.is_empty() {
        return None;
    }
    // Where one chain alone is led to, whether by a jump or not is a matter of names.
    if kind == "nat" {
        way.chains = vec![way.chains.concat()];
    }
    Some(way)
}

/// The rules of a family's filter table for what goes to the host and what it sends, wherever packets are
/// led to meet them, each with the policy behind it.
fn at_host(program: Option<&Program>) -> [Vec<(u32, Bare)>; 2] {
    [INPUT, OUTPUT].map(|hook| {
        let way = at(program, "filter", hook);
        let rules = way.into_iter().flat_map(|way| {
            let policy = way.entry.3;
            way.chains
                .into_iter()
                .flatten()
                .map(move |rule| (policy, rule))
        });
        rules.collect()
    })
}

fn has_role(rule: &Bare, is_it: impl Fn(Role) -> bool) -> bool {
    untag(&rule.comment).is_some_and(|(_, mut kinds)| kinds.any(|kind| is_it(kind.role())))
}
