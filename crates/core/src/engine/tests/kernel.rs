//! A backend over a kernel in memory: two tables, changed one after the other, each as a whole.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::super::backend::{
    Backend, BackendError, BackendId, Change, Discrepancy, DiscrepancyKind, Done, Installed,
    InstalledRules, Placement, Plan, RunError, Standing, Step,
};
use crate::error_kind::ErrorKind;
use crate::hint::Hint;
use crate::identity::{Digester, Identity, RuleIdentity};
use crate::location::{Location, Subsystem};
use crate::network::{Family, Network};
use crate::rules::Rule;
use crate::state::Record;
use crate::storage::Lock;
use crate::storage::memory::{Fate, Step as How};

/// What stands: table and item.
pub(super) type Kernel = Arc<Mutex<BTreeSet<(String, Identity)>>>;

const TABLES: [&str; 2] = ["filter", "nat"];

pub(super) struct Tables {
    pub(super) name: &'static str,
    pub(super) kernel: Kernel,
    /// How often it was touched.
    pub(super) touched: Arc<AtomicUsize>,
    pub(super) fate: Fate,
    /// Steps say how to take them back; otherwise that is planned anew.
    pub(super) says_undo: bool,
}

#[derive(Debug, Error)]
#[error("it failed")]
struct Dead;

impl Hint for Dead {
    fn kind(&self) -> ErrorKind {
        ErrorKind::System
    }

    fn hint(&self) -> Cow<'_, str> {
        "".into()
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    table: String,
    add: Vec<Identity>,
    delete: Vec<Identity>,
}

fn rule(network: &Network) -> Identity {
    let comment = format!("{} {:?}", network.name(), network.subnets());
    let mut digester = Digester::default();
    digester.add(comment.as_bytes());
    Identity::Rule(RuleIdentity {
        comment,
        digest: digester.digest(),
    })
}

impl Tables {
    fn items(&self, network: &Network) -> Vec<Installed> {
        let item = |table: &str| Installed {
            family: Family::Ipv4,
            table: format!("{} {table}", self.name),
            place: "chain".to_owned(),
            item: rule(network),
        };
        TABLES.map(item).to_vec()
    }

    fn has(&self, item: &Installed) -> bool {
        let kernel = self.kernel.lock().unwrap();
        kernel.contains(&(item.table.clone(), item.item.clone()))
    }

    fn dead(&self) -> BackendError {
        BackendError::new(self.id(), Dead)
    }
}

impl Backend for Tables {
    fn id(&self) -> BackendId {
        BackendId::new(self.name)
    }

    fn rules(&self, _: &Network, _: &Placement) -> Vec<Rule> {
        Vec::new()
    }

    fn location(&self, _: &Placement) -> Option<Location> {
        Some(Location::SharedTables(Subsystem::IpTables))
    }

    fn omission(&self, _: &Record, _: &Rule) -> Option<&'static str> {
        None
    }

    fn generation(&mut self) -> Result<Option<u64>, BackendError> {
        Ok(None)
    }

    fn plan(&mut self, change: &Change<'_>) -> Result<Plan, BackendError> {
        let mut plan = Plan::default();
        let gone: Vec<&Installed> = change.remove.iter().flat_map(|r| &r.installed).collect();
        plan.added = change.add.iter().map(|a| self.items(a.network)).collect();
        let restored: Vec<Vec<Installed>> = change
            .restore
            .iter()
            .map(|record| self.items(&record.network))
            .collect();
        plan.restored = restored
            .iter()
            .map(|items| (!items.iter().all(|item| self.has(item))).then(|| items.clone()))
            .collect();
        let wanted: Vec<&Installed> = plan.added.iter().chain(&restored).flatten().collect();
        for table in TABLES {
            let table = format!("{} {table}", self.name);
            let add = wanted
                .iter()
                .filter(|item| item.table == table && !self.has(item));
            let stays = |item: &Installed| {
                wanted
                    .iter()
                    .any(|w| (&w.table, &w.item) == (&item.table, &item.item))
            };
            let delete = gone
                .iter()
                .filter(|item| item.table == table && self.has(item) && !stays(item));
            let payload = Payload {
                add: add.map(|item| item.item.clone()).collect(),
                delete: delete.map(|item| item.item.clone()).collect(),
                table,
            };
            if payload.add.is_empty() && payload.delete.is_empty() {
                continue;
            }
            let undo = Payload {
                table: payload.table.clone(),
                add: payload.delete.clone(),
                delete: payload.add.clone(),
            };
            let bytes = |payload: &Payload| serde_json::to_vec(payload).unwrap();
            plan.steps.push(Step {
                what: payload.table.clone(),
                payload: bytes(&payload),
                undo: if self.says_undo {
                    bytes(&undo)
                } else {
                    Vec::new()
                },
            });
        }
        Ok(plan)
    }

    fn run(&mut self, payload: &[u8], _: &Lock) -> Result<Done, RunError> {
        self.touched.fetch_add(1, Ordering::Relaxed);
        let how = self.fate.next();
        if !matches!(how, How::Work | How::Late) {
            return Err(RunError::Failed(self.dead()));
        }
        let payload: Payload = serde_json::from_slice(payload).unwrap();
        let mut kernel = self.kernel.lock().unwrap();
        for item in payload.delete {
            assert!(
                kernel.remove(&(payload.table.clone(), item)),
                "deleted twice"
            );
        }
        for item in payload.add {
            assert!(kernel.insert((payload.table.clone(), item)), "added twice");
        }
        match how {
            How::Work => Ok(Done::default()),
            _ => Err(RunError::Unknown(self.dead())),
        }
    }

    fn has_landed(&mut self, step: &Step) -> Result<bool, BackendError> {
        let payload: Payload = serde_json::from_slice(&step.payload).unwrap();
        let kernel = self.kernel.lock().unwrap();
        let has = |item: &Identity| kernel.contains(&(payload.table.clone(), item.clone()));
        Ok(payload.add.iter().all(has) && !payload.delete.iter().any(has))
    }

    fn verify(
        &mut self,
        records: &[&Record],
        _asked: &[&Record],
    ) -> Result<Vec<Discrepancy>, BackendError> {
        let missing = |record: &&&Record| !record.installed.iter().all(|item| self.has(item));
        let found = records.iter().filter(missing).map(|record| Discrepancy {
            network: Some(record.network.name().clone()),
            object: "rules".to_owned(),
            kind: DiscrepancyKind::Missing,
            detail: String::new(),
        });
        Ok(found.collect())
    }

    fn note_refused(&mut self, records: &mut [Record]) -> Result<bool, BackendError> {
        Ok(!records.is_empty())
    }

    fn standing(&mut self, records: &[&Record]) -> Result<Vec<Vec<Standing>>, BackendError> {
        Ok(vec![Vec::new(); records.len()])
    }

    fn installed(&mut self, _: &Placement, _: Family) -> Result<InstalledRules, BackendError> {
        Ok(InstalledRules::default())
    }

    fn listing(&mut self, _: &[&Placement]) -> Result<String, BackendError> {
        Ok(String::new())
    }
}
