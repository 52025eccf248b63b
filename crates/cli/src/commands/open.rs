//! From the command line to networks, options and the firewall.

use std::path::PathBuf;

use palisade::Hint;
use palisade::definition::{self, Directories};
use palisade::network::{InterfaceName, Name};
use palisade::words::shown;
use palisade::{
    Choice, EngineError, ErrorKind, Firewall, HostBridges, Network, NetworkOwner, Options, config,
    folder,
};

use crate::arguments::{Files, Global};
use crate::failure::Failure;

pub(super) fn networks(files: &Files, global: &Global) -> Result<Vec<Network>, Failure> {
    networks_of(&files.files, &files.bridges, global)
}

/// The networks of these files; the bridge is given of those whose definition names none.
pub(super) fn networks_of(
    files: &[PathBuf],
    bridges: &[(Name, InterfaceName)],
    global: &Global,
) -> Result<Vec<Network>, Failure> {
    let namespace = global.netns.as_deref().map(folder::namespace);
    let known = HostBridges::new(bridges.to_vec(), namespace);
    let read = definition::read_all_with(files, Directories::Read, &known);
    let networks = read.map_err(Failure::Definitions)?;
    check_bridges(bridges, &networks)?;
    Ok(networks)
}

/// Each `--bridge` is of a network that is defined here, and is its bridge.
fn check_bridges(bridges: &[(Name, InterfaceName)], networks: &[Network]) -> Result<(), Failure> {
    for (name, bridge) in bridges {
        let network = networks.iter().find(|network| network.name() == name);
        let problem = match network.map(Network::bridge) {
            None => "no network of this name is defined here".to_owned(),
            Some(Some(other)) if other != bridge => format!("its bridge is {other}"),
            Some(_) => continue,
        };
        let name = shown(name.as_str());
        return Err(Failure::new(
            ErrorKind::Definition,
            format!("--bridge {name}={bridge}: {problem}"),
            "`--bridge` names the bridge of a network whose definition names none, once",
        ));
    }
    Ok(())
}

/// Names of running networks; what cannot be a name is nobody's.
pub(super) fn names(texts: &[String]) -> Result<Vec<Name>, Failure> {
    let parse = |text: &String| {
        text.parse().map_err(|_| {
            Failure::new(
                ErrorKind::UnknownNetwork,
                format!(
                    "no network named `{}` is running; nothing was done",
                    shown(text)
                ),
                EngineError::Unknown { names: Vec::new() }.hint(),
            )
        })
    };
    texts.iter().map(parse).collect()
}

/// What the command line and the environment choose.
pub(super) fn explicit(global: &Global) -> Choice {
    Choice {
        backend: global.backend,
        layout: global.layout,
        table: global.table.clone(),
        iptables: global.iptables,
        established: global.established,
    }
}

/// The same, completed by the configuration file.
pub(super) fn choice(global: &Global) -> Result<Choice, Failure> {
    let configured = config::read(global.config.as_deref())?;
    Ok(explicit(global).or(&configured))
}

/// For commands that place new networks.
pub(super) fn open(global: &Global) -> Result<Firewall, Failure> {
    open_with(global, config::read(global.config.as_deref())?)
}

/// For commands on running networks: what is recorded counts, whatever is configured now.
pub(super) fn open_recorded(global: &Global) -> Result<Firewall, Failure> {
    warn_of_configuration(global);
    let firewall = open_with(global, Choice::default())?;
    if let Ok(Some(own)) = firewall.empty_beside_system() {
        log::warn!(
            "only {} was looked in, the state of a plain user, and it is empty; networks of root \
             are recorded in {}",
            own.display(),
            folder::SYSTEM
        );
    }
    Ok(firewall)
}

/// They do not need it; but whoever named it shall know.
pub(super) fn warn_of_configuration(global: &Global) {
    if let Some(named) = &global.config
        && let Err(error) = config::read(Some(named))
    {
        log::warn!("{error}; what is recorded counts, so it is passed over");
    }
}

fn open_with(global: &Global, configured: Choice) -> Result<Firewall, Failure> {
    Ok(Firewall::open(&Options {
        configured,
        ..options(global)
    })?)
}

/// What the command line and the environment say of where to work.
pub(super) fn options(global: &Global) -> Options {
    Options {
        owner: NetworkOwner::default(),
        state_directory: global.state_dir.clone(),
        namespace: global.netns.as_deref().map(folder::namespace),
        choice: explicit(global),
        configured: Choice::default(),
    }
}
