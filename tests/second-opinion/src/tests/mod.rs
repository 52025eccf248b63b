//! What rustables writes, our decoder reads.

mod layout;
mod object;
mod words;

use palisade_netlink::nfnetlink;
use palisade_nft::object::{Chain, Family, Rule, Table, Userdata};
use palisade_nft::parts::wire::{self, Kind};
use rustables::{Batch, MsgType};

/// A message of nf_tables out of a batch.
#[derive(Debug)]
struct Sent {
    kind: Kind,
    family: Family,
    body: Vec<u8>,
}

/// What rustables puts into a batch, as our decoder tells its messages apart.
fn sent(fill: impl FnOnce(&mut Batch)) -> Vec<Sent> {
    let mut batch = Batch::new();
    fill(&mut batch);
    let bytes = batch.finalize();
    let messages: Vec<_> = wire::messages(&bytes).map(Result::unwrap).collect();
    let [begin, inner @ .., end] = messages.as_slice() else {
        panic!("no batch: {messages:?}");
    };
    assert_eq!(begin.header.kind, nfnetlink::BATCH_BEGIN);
    assert_eq!(end.header.kind, nfnetlink::BATCH_END);
    let own = |message: &wire::Message<'_>| Sent {
        kind: message.kind.unwrap(),
        family: message.family,
        body: message.body.to_vec(),
    };
    inner.iter().map(own).collect()
}

/// The one message about an object.
fn sent_one(object: &impl rustables_object::Object, what: MsgType) -> Sent {
    let mut sent = sent(|batch| object.add_to(batch, what));
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

/// rustables keeps the trait of what a batch takes to itself.
mod rustables_object {
    use rustables::set::SetElementList;
    use rustables::{Batch, Chain, MsgType, Rule, Set, Table};

    pub(super) trait Object {
        fn add_to(&self, batch: &mut Batch, what: MsgType);
    }

    macro_rules! objects {
        ($($object:ty),*) => {$(
            impl Object for $object {
                fn add_to(&self, batch: &mut Batch, what: MsgType) {
                    batch.add(self, what);
                }
            }
        )*};
    }

    objects!(Table, Chain, Rule, Set, SetElementList);
}

fn table(family: Family) -> Table {
    Table {
        family,
        name: "net".to_owned(),
        flags: 0,
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    }
}

fn chain(family: Family) -> Chain {
    Chain {
        family,
        table: "net".to_owned(),
        name: "guests".to_owned(),
        base: None,
        flags: 0,
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    }
}

/// rustables' table and chain of these names.
fn place(family: Family) -> (rustables::Table, rustables::Chain) {
    let table = crate::table(&table(family)).unwrap();
    let chain = crate::chain(&table, &chain(family)).unwrap();
    (table, chain)
}

/// A rule of rustables, as our decoder reads it.
fn read_rule(rule: &rustables::Rule) -> Rule {
    let sent = sent_one(rule, MsgType::Add);
    assert_eq!(sent.kind, Kind::NEW_RULE);
    wire::rule::decode(sent.family, &sent.body).unwrap()
}
