//! Modes of files and folders do not depend on the umask. It belongs to the whole process, so that no
//! other test may run in this one.

#![allow(clippy::unwrap_used)] // A panic is the report here.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::stat::{Mode, umask};
use palisade_core::storage::{Contents, Directory, Storage};

const CONTENTS: Contents = Contents {
    files: &["index", "journal"],
    folders: &["networks"],
};

#[test]
fn modes_do_not_depend_on_the_umask() {
    for mask in [0, 0o277, 0o777] {
        let parent = tempfile::tempdir().unwrap();
        let state = parent.path().join("deep/state");
        let before = umask(Mode::from_bits_truncate(mask));
        let storage = Directory::below(state.clone(), "netns-7".to_owned(), CONTENTS);
        let lock = storage.lock(Duration::ZERO).unwrap();
        storage.write("networks/new", b"x").unwrap();
        storage.replace("networks/replaced", b"x").unwrap();
        storage.add("index", b"x").unwrap();
        storage.write_through("journal", b"x").unwrap();
        drop(lock);
        umask(before);
        let itself = state.join("netns-7");
        let networks = itself.join("networks");
        for file in [
            "lock",
            "index",
            "journal",
            "networks/new",
            "networks/replaced",
        ] {
            assert_eq!(mode(&itself.join(file)), 0o600, "{file} under {mask:o}");
        }
        for folder in [&parent.path().join("deep"), &state, &itself, &networks] {
            assert_eq!(mode(folder), 0o700, "{} under {mask:o}", folder.display());
        }
    }
}

fn mode(path: &Path) -> u32 {
    let found = path.symlink_metadata().unwrap();
    found.mode() & 0o7777
}
