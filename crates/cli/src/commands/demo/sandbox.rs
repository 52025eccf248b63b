//! A user and a network namespace that are gone when the process ends.

use std::fs;
use std::io;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};
use palisade::words::in_words;

use crate::failure::Failure;
use palisade::ErrorKind;

/// Moves this process into namespaces of its own, in which it may do everything, and which no
/// interface of the host is in. Root without user namespaces takes a network namespace alone.
pub(super) fn enter() -> Result<&'static str, Failure> {
    let (uid, gid) = (Uid::effective(), Gid::effective());
    match unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET) {
        Ok(()) => {
            map(uid, gid).map_err(|error| refused(&error))?;
            Ok("a user and a network namespace")
        }
        Err(_) if uid.is_root() => {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| refused(&errno.into()))?;
            Ok("a network namespace")
        }
        Err(errno) => Err(refused(&errno.into())),
    }
}

/// Who runs this becomes root inside.
fn map(uid: Uid, gid: Gid) -> io::Result<()> {
    // The kernel wants this before a plain user maps a group.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))
}

fn refused(error: &io::Error) -> Failure {
    Failure::new(
        ErrorKind::Permission,
        format!(
            "this system lets plain users make no namespaces of their own: {}",
            in_words(error)
        ),
        "run it as root (sudo palisade demo), or allow it: sysctl -w \
         kernel.apparmor_restrict_unprivileged_userns=0 user.max_user_namespaces=10000",
    )
}
