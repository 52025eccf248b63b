//! Network namespaces that share a state directory, also when one takes the inode number of one
//! that is gone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use palisade_tests::{Namespace, Palisade, Trials, assert_as_applied};

use crate::kill::{folder, kill_in_transaction};
use palisade_tests::place::{Place, assert_clean, net};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::OF_NFTABLES {
        let name = format!("{place:?}: a namespace with the inode number of one that is gone");
        trials = trials.with(name, move || {
            // Somebody else on the machine may get the number, and keep it.
            let is_done = (0..10).any(|_| inode_used_again(place));
            assert!(
                is_done,
                "no new namespace got the inode number of one that was gone"
            );
        });
    }
    trials
}

/// Whether the number came again.
fn inode_used_again(place: Place) -> bool {
    let [lasting, gone] = [(); 2].map(|()| Namespace::new());
    // What the one that goes leaves: networks, and perhaps a transaction half done.
    let shared = Palisade::new(&lasting);
    let first = place.palisade(&gone).sharing(&shared);
    first.apply(&[net(1), net(2)]).stdout();
    let left_in = folder(&first);
    kill_in_transaction(&gone, &first, &first.files([&net(3)]));
    let left = files_of(&left_in);
    assert!(left.keys().any(|path| path.ends_with("networks/net1.json")));
    let beside = place.palisade(&lasting).sharing(&shared);
    beside.apply(&[net(1)]).stdout();

    let inode = inode_of(&gone);
    drop(first);
    drop(gone);
    let Some(next) = with_inode(inode) else {
        return false;
    };
    let second = place.palisade(&next).sharing(&shared);
    assert_eq!(second.running(), [""; 0]);
    let told = second.ok(["recover"]);
    assert!(told.contains("nothing was interrupted"), "{told}");
    second.apply(&[net(2)]).stdout();
    assert_clean(&second);
    assert_as_applied(&next, place.word(), [&net(2)]);
    assert_eq!(beside.running(), ["net1"]);
    second.ok(["remove", "--all"]);
    assert_clean(&beside);
    assert_as_applied(&lasting, place.word(), [&net(1)]);
    assert_eq!(
        files_of(&left_in),
        left,
        "the state of the one that is gone"
    );
    true
}

fn inode_of(namespace: &Namespace) -> u64 {
    let metadata = fs::metadata(namespace.path()).expect("look at the namespace");
    metadata.ino()
}

/// A new namespace with this number. Others may get it first: those are held until it comes.
fn with_inode(inode: u64) -> Option<Namespace> {
    for _ in 0..20 {
        let mut held = Vec::new();
        for _ in 0..8 {
            let namespace = Namespace::new();
            if inode_of(&namespace) == inode {
                return Some(namespace);
            }
            held.push(namespace);
        }
        // The kernel takes a namespace down in its own time.
        thread::sleep(Duration::from_millis(50));
    }
    None
}

/// The files below a folder, with what is in them.
fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("list a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_of(&path));
        } else {
            let content = fs::read(&path).expect("read a file");
            files.insert(path, content);
        }
    }
    files
}
