//! The commands: each parses what is left to parse, calls the library, and says what it did.

mod block;
mod change;
mod check;
mod compare;
mod completions;
mod confirm;
mod counters;
mod demo;
mod doctor;
mod explain;
mod graph;
mod list;
mod manual;
mod mend;
mod open;
mod particulars;
mod refused;
mod show;
mod signals;
mod trace;
mod watch;

use std::time::Duration;

use palisade::{BackendChoice, Choice, config};

use crate::arguments::{
    Applied, Arguments, Asked, Command, Global, InternalCommand, Migration, Target,
};
use crate::failure::Failure;
use crate::interrupt;
use crate::output::Outcome;
use change::SyncGoal;
use open::{choice, explicit, networks, open, open_recorded, options, warn_of_configuration};

pub(crate) fn run(asked: &Asked) -> Result<Outcome, Failure> {
    match asked {
        Asked::Command(arguments) => {
            if !sees_to_interrupts(&arguments.command) {
                interrupt::end_command(|| {});
            }
            command(arguments)
        }
        Asked::Internal(internal) => match &internal.command {
            InternalCommand::GuardConfirmation => confirm::guard(&internal.global),
            InternalCommand::Manual(written) => manual::manual(&written.folder),
        },
    }
}

/// Whether a command waits for SIGINT itself, since it has something to finish.
fn sees_to_interrupts(command: &Command) -> bool {
    match command {
        Command::Watch(_) | Command::Trace(_) | Command::Demo => true,
        Command::Counters(asked) => asked.watch.is_some(),
        Command::Apply(applied) => applied.confirm.is_some(),
        _ => false,
    }
}

fn command(arguments: &Arguments) -> Result<Outcome, Failure> {
    let global = &arguments.global;
    // Whoever names a file means it. What it says counts for new networks alone: a mistake in it
    // keeps nobody from looking and removing.
    if let Some(named) = &global.config {
        config::check_readable(named)?;
    }
    match &arguments.command {
        Command::Check(files) => Ok(check::check(&networks(files, global)?)),
        Command::Render(rendered) => {
            let networks = networks(&rendered.files, global)?;
            check::render(&networks, &choice(global)?, rendered.family, global.format)
        }
        Command::Compare(files) => {
            let networks = networks(files, global)?;
            compare::compare(&choice(global)?.applied_to(&networks))
        }
        Command::Apply(applied) => apply(applied, global),
        Command::Confirm => confirm::confirm(&mut open_recorded(global)?),
        Command::Plan(planned) => {
            let networks = networks(&planned.files, global)?;
            let mut firewall = open(global)?;
            let report = if planned.sync {
                SyncGoal::of(&planned.files, networks, &mut firewall)?.plan(&mut firewall)?
            } else {
                firewall.plan_apply(&networks)?
            };
            Ok(change::plan(&report))
        }
        Command::Sync(files) => {
            let networks = networks(files, global)?;
            let mut firewall = open(global)?;
            let report = SyncGoal::of(files, networks, &mut firewall)?.reach(&mut firewall)?;
            change::applied(&mut firewall, report, global.quiet)
        }
        Command::Remove(removal) => {
            change::remove(&mut open_recorded(global)?, removal, global.quiet)
        }
        Command::Block(guests) => block::block(&mut open_recorded(global)?, guests, global.quiet),
        Command::Unblock(guests) => {
            block::unblock(&mut open_recorded(global)?, guests, global.quiet)
        }
        Command::Verify(named) => mend::verify(&mut open_recorded(global)?, named),
        Command::Repair(named) => mend::repair(&mut open_recorded(global)?, named, global.quiet),
        Command::Migrate(migration) => migrate(migration, global),
        Command::Recover(recovery) => {
            // Which table is palisade's, the configuration says too.
            let mut firewall = match recovery.adopt {
                true => open(global)?,
                false => open_recorded(global)?,
            };
            mend::recover(&mut firewall, recovery)
        }
        Command::List(listed) => list::list(&open_recorded(global)?.overview()?, listed),
        Command::Show(shown) => show::show(&mut open_recorded(global)?, &shown.name),
        Command::Explain(asked) => explain::explain(global, asked),
        Command::Trace(packets) => {
            trace::trace(&mut open_recorded(global)?, packets, global.format)
        }
        Command::Counters(asked) => {
            counters::counters(&mut open_recorded(global)?, asked, global.format)
        }
        Command::Doctor => doctor::doctor(&mut open_recorded(global)?, global.format),
        Command::Graph => {
            let networks = open_recorded(global)?.overview()?;
            Ok(graph::graph(&networks, global.format))
        }
        Command::Watch(watched) => {
            warn_of_configuration(global);
            watch::watch(&options(global), watched, global.format)
        }
        Command::Demo => demo::demo(command),
        Command::Completions(completed) => Ok(completions::completions(completed.shell)),
    }
}

fn apply(applied: &Applied, global: &Global) -> Result<Outcome, Failure> {
    let networks = networks(&applied.files, global)?;
    let mut firewall = open(global)?;
    match applied.confirm.map(Duration::from_secs) {
        _ if applied.dry_run => Ok(change::plan(&firewall.plan_apply(&networks)?)),
        None => {
            let report = firewall.apply(&networks)?;
            change::applied(&mut firewall, report, global.quiet)
        }
        Some(patience) => {
            let asked = confirm::Asked {
                networks: &networks,
                patience,
                global,
            };
            confirm::apply(&mut firewall, &asked)
        }
    }
}

fn migrate(migration: &Migration, global: &Global) -> Result<Outcome, Failure> {
    let to = Choice {
        backend: Some(match migration.to {
            Target::Nftables => BackendChoice::Nftables,
            Target::Iptables => BackendChoice::Iptables,
        }),
        ..explicit(global)
    };
    let mut firewall = open_recorded(global)?;
    let report = firewall.migrate(&to)?;
    change::applied(&mut firewall, report, global.quiet)
}
