//! The backend on a host that is made up: see [`host`].

mod failures;
mod host;
mod others;
mod planned;
mod rules;

use std::collections::BTreeMap;

use palisade_core::backend::{Addition, Backend, BackendId, Change, Placement, Plan, RunError};
use palisade_core::network::{Description, Forward, Nat, Network};
use palisade_core::state::Record;
use palisade_core::storage::Lock;

use super::Iptables;

fn placement(programs: &str) -> Placement {
    Placement {
        backend: BackendId::new("iptables"),
        settings: BTreeMap::from([("programs".to_owned(), programs.to_owned())]),
    }
}

fn lock() -> Lock {
    Lock::private().unwrap()
}

/// A network on `virbrN` with subnets of both families.
fn network(number: u8, forward: Forward) -> Network {
    Network::new(Description {
        subnets: vec![
            format!("10.0.{number}.0/24").parse().unwrap(),
            format!("fd00:{number}::/64").parse().unwrap(),
        ],
        dhcp: true,
        ..Description::new(
            format!("net{number}").parse().unwrap(),
            Some(format!("virbr{number}").parse().unwrap()),
            forward,
        )
    })
    .unwrap()
}

fn nat(number: u8) -> Network {
    network(number, Forward::Nat(Nat::default()))
}

/// What the engine does with a backend, without a state directory.
struct Running {
    backend: Iptables,
    programs: &'static str,
    records: Vec<Record>,
}

impl Running {
    fn on(host: &host::Host, programs: &'static str) -> Self {
        Self {
            backend: host.backend(),
            programs,
            records: Vec::new(),
        }
    }

    fn start(&mut self, networks: &[Network]) {
        self.reach(networks, &[]).unwrap();
    }

    fn remove(&mut self, names: &[&str]) -> Plan {
        self.reach(&[], names).unwrap()
    }

    /// Networks come or are replaced, others go.
    fn reach(&mut self, networks: &[Network], gone: &[&str]) -> Result<Plan, RunError> {
        let placement = placement(self.programs);
        let goes = |record: &Record| {
            let name = record.network.name();
            gone.contains(&name.as_str()) || networks.iter().any(|network| network.name() == name)
        };
        let (remove, keep): (Vec<Record>, Vec<Record>) =
            self.records.iter().cloned().partition(goes);
        let last = self.records.iter().map(|record| record.order).max();
        let orders = last.map_or(0, |last| last + 1)..;
        let change = Change {
            keep: keep.iter().collect(),
            remove: remove.iter().collect(),
            add: networks
                .iter()
                .zip(orders.clone())
                .map(|(network, order)| Addition {
                    network,
                    placement: &placement,
                    order,
                })
                .collect(),
            ..Change::default()
        };
        let plan = self.backend.plan(&change).unwrap();
        self.carry_out(&plan)?;
        self.records = keep;
        for ((network, installed), order) in networks.iter().zip(&plan.added).zip(orders) {
            self.records.push(Record {
                owner: palisade_core::NetworkOwner::default(),
                network: network.clone(),
                placement: placement.clone(),
                why: String::new(),
                since: "2026-01-01T00:00:00Z".parse().unwrap(),
                order,
                installed: installed.clone(),
                actions: Vec::new(),
            });
        }
        self.backend.note_refused(&mut self.records).unwrap();
        Ok(plan)
    }

    /// Looks at all networks, and puts back what is missing.
    fn restore(&mut self) -> Plan {
        let change = Change {
            restore: self.records.iter().collect(),
            ..Change::default()
        };
        let plan = self.backend.plan(&change).unwrap();
        self.carry_out(&plan).unwrap();
        plan
    }

    /// Runs the steps; where one fails, all that were begun are taken back.
    fn carry_out(&mut self, plan: &Plan) -> Result<(), RunError> {
        for (number, step) in plan.steps.iter().enumerate() {
            if let Err(error) = self.backend.run(&step.payload, &lock()) {
                for begun in plan.steps[..=number].iter().rev() {
                    self.backend.run(&begun.undo, &lock()).unwrap();
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn differences(&mut self) -> Vec<String> {
        let records: Vec<&Record> = self.records.iter().collect();
        let found = self.backend.verify(&records, &records).unwrap();
        let tell = |d: &palisade_core::backend::Discrepancy| {
            let network = d.network.as_ref().map_or("-", |name| name.as_str());
            format!("{network} {:?}: {}: {}", d.kind, d.object, d.detail)
        };
        found.iter().map(tell).collect()
    }
}
