//! What others may have put into the state directory, or made of it.

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::{Uid, mkfifo};
use tempfile::TempDir;

use super::{Contents, Directory, Storage, StorageError};
use crate::hint::Hint;

const CONTENTS: Contents = Contents {
    files: &["a", "journal"],
    folders: &["networks"],
};
const NOBODY: u32 = 65534;

fn directory(state: &Path) -> Directory {
    Directory::below(state.to_owned(), "netns-7".to_owned(), CONTENTS)
}

/// A state directory with a lock, a file, and a file in a folder.
fn written() -> TempDir {
    let state = tempfile::tempdir().unwrap();
    let storage = directory(state.path());
    drop(storage.lock(Duration::ZERO).unwrap());
    storage.write("a", b"first").unwrap();
    storage.write("networks/b", b"second").unwrap();
    state
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What was said of something that cannot be used.
fn refusal(refused: Result<super::Lock, StorageError>) -> (String, String) {
    let error = refused.unwrap_err();
    (error.to_string(), error.hint().into_owned())
}

#[test]
fn what_is_written_is_read() {
    let state = written();
    let storage = directory(state.path());
    assert_eq!(storage.read("a").unwrap().unwrap(), b"first");
    assert_eq!(storage.read("networks/b").unwrap().unwrap(), b"second");
    assert_eq!(storage.read("networks/c").unwrap(), None);
    assert_eq!(storage.read("staged/c").unwrap(), None);
    storage.write("a", b"1st").unwrap();
    storage.append("a", b"!").unwrap();
    let version = storage.add("a", b"?").unwrap();
    assert_eq!(storage.read("a").unwrap().unwrap(), b"1st!?");
    assert_eq!(storage.version("a").unwrap(), Some(version));
    assert_eq!(version.length, 5);
    storage.replace("networks/b", b"new").unwrap();
    storage.rename("a", "networks/a").unwrap();
    let mut names = storage.names("networks").unwrap();
    names.sort();
    assert_eq!(names, ["a", "b"]);
    storage.remove("networks/a").unwrap();
    storage.remove("networks/a").unwrap();
    assert_eq!(storage.version("networks/a").unwrap(), None);
    storage.write_through("journal", b"begin").unwrap();
    assert_eq!(storage.read("journal").unwrap().unwrap(), b"begin");
    let missing = storage.append("none", b"").unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    let missing = storage.rename("none", "networks/c").unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

/// A folder that is open may be deleted, made again, or get another one's name.
#[test]
fn folders_are_those_that_have_the_name_now() {
    let state = written();
    let storage = directory(state.path());
    let other = directory(state.path());
    assert_eq!(storage.read("networks/b").unwrap().unwrap(), b"second");
    fs::remove_dir_all(state.path()).unwrap();
    assert_eq!(storage.read("networks/b").unwrap(), None);
    drop(other.lock(Duration::ZERO).unwrap());
    other.write("networks/b", b"other").unwrap();
    assert_eq!(storage.read("networks/b").unwrap().unwrap(), b"other");
    // Renamed away: known as soon as the lock is taken.
    let itself = state.path().join("netns-7");
    fs::rename(&itself, state.path().join("away")).unwrap();
    drop(storage.lock(Duration::ZERO).unwrap());
    assert_eq!(storage.read("networks/b").unwrap(), None);
    // One folder in place of an empty one.
    storage.make_folder("networks").unwrap();
    storage.write("staged/c", b"third").unwrap();
    storage.rename("staged", "networks").unwrap();
    assert_eq!(storage.read("networks/c").unwrap().unwrap(), b"third");
    assert_eq!(storage.read("staged/c").unwrap(), None);
}

/// Whatever is done with a path.
fn all_ways(storage: &Directory, path: &str) -> Vec<io::Result<()>> {
    vec![
        storage.read(path).map(drop),
        storage.write(path, b"x"),
        storage.replace(path, b"x"),
        storage.write_through(path, b"x"),
        storage.append(path, b"x"),
        storage.add(path, b"x").map(drop),
        storage.version(path).map(drop),
    ]
}

/// Puts something else in the place of a file.
type Put = fn(&Path, elsewhere: &Path);

const OTHERS: [(&str, Put); 5] = [
    ("a FIFO", |path, _| mkfifo(path, Mode::S_IRWXU).unwrap()),
    ("a socket", |path, _| {
        drop(UnixListener::bind(path).unwrap());
    }),
    ("a folder", |path, _| fs::create_dir(path).unwrap()),
    ("a symbolic link", |path, elsewhere| {
        symlink(elsewhere, path).unwrap();
    }),
    ("a symbolic link", |path, _| {
        symlink("/dev/zero", path).unwrap();
    }),
];

#[test]
fn nothing_but_regular_files_is_used() {
    let elsewhere = TempDir::new().unwrap();
    let elsewhere = elsewhere.path().join("file");
    fs::write(&elsewhere, "untouched").unwrap();
    for (kind, put) in OTHERS {
        for path in ["a", "networks/b"] {
            let state = written();
            let file = state.path().join("netns-7").join(path);
            fs::remove_file(&file).unwrap();
            put(&file, &elsewhere);
            let told = format!("{} is {kind}, not a regular file", file.display());
            for done in all_ways(&directory(state.path()), path) {
                assert_eq!(done.unwrap_err().to_string(), told);
            }
            let is_refused = path == "a";
            let locked = directory(state.path()).lock(Duration::ZERO);
            assert_eq!(locked.is_err(), is_refused, "{told}");
            assert_eq!(fs::read(&elsewhere).unwrap(), b"untouched", "{told}");
        }
        let state = written();
        let lock = state.path().join("netns-7/lock");
        fs::remove_file(&lock).unwrap();
        put(&lock, &elsewhere);
        let (told, hint) = refusal(directory(state.path()).lock(Duration::ZERO));
        let expected = format!("lock is {kind}, not a regular file");
        assert!(told.ends_with(&expected), "{told}");
        assert!(hint.contains("move it away"), "{hint}");
        assert_eq!(fs::read(&elsewhere).unwrap(), b"untouched", "{told}");
    }
}

#[test]
fn no_folder_is_a_symbolic_link() {
    for (path, is_whole) in [("netns-7", true), ("netns-7/networks", false)] {
        let (state, elsewhere) = (written(), TempDir::new().unwrap());
        let folder = state.path().join(path);
        fs::rename(&folder, elsewhere.path().join("moved")).unwrap();
        symlink(elsewhere.path().join("moved"), &folder).unwrap();
        let told = format!("{} is a symbolic link, not a folder", folder.display());
        let storage = directory(state.path());
        for done in all_ways(&storage, "networks/b") {
            assert_eq!(done.unwrap_err().to_string(), told);
        }
        for done in [
            storage.names("networks").map(drop),
            storage.version("networks").map(drop),
            storage.remove("networks/b"),
            storage.rename("networks/b", "networks/c"),
            storage.make_folder("networks"),
        ] {
            assert_eq!(done.unwrap_err().to_string(), told);
        }
        let (refused, _) = refusal(storage.lock(Duration::ZERO));
        assert!(refused.ends_with(&told), "{refused}");
        assert_eq!(is_whole, !elsewhere.path().join("moved/b").exists());
    }
}

#[test]
fn the_way_to_the_state_directory_may_be_a_link() {
    let (state, elsewhere) = (written(), TempDir::new().unwrap());
    let link = elsewhere.path().join("link");
    symlink(state.path(), &link).unwrap();
    assert_eq!(directory(&link).read("a").unwrap().unwrap(), b"first");
    let behind = elsewhere
        .path()
        .join("./link/../")
        .join(state.path().file_name().unwrap());
    assert_eq!(directory(&behind).read("a").unwrap().unwrap(), b"first");
    let circle = elsewhere.path().join("circle");
    symlink("circle", &circle).unwrap();
    let told = directory(&circle).read("a").unwrap_err();
    assert_eq!(told.raw_os_error(), Some(nix::libc::ELOOP));
}

#[test]
fn folders_that_others_write_to_are_refused() {
    for (path, mode) in [
        ("netns-7", 0o770),
        ("netns-7", 0o1777),
        ("", 0o702),
        ("", 0o720),
    ] {
        let state = written();
        let open = state.path().join(path);
        set_mode(&open, mode);
        let open = open.to_str().unwrap().trim_end_matches('/');
        let (told, hint) = refusal(directory(state.path()).lock(Duration::ZERO));
        let belongs = format!("mode {mode:04o}: others may write to it");
        assert!(told.contains(open) && told.ends_with(&belongs), "{told}");
        assert!(
            hint.starts_with(&format!("`chmod -R go-w {open}`")),
            "{hint}"
        );
        let read = directory(state.path()).read("a").unwrap_err();
        assert!(read.to_string().ends_with(&belongs), "{read}");
        set_mode(Path::new(open), mode & !0o022);
        directory(state.path()).lock(Duration::ZERO).unwrap();
    }
    // As the root of a tmpfs is.
    let state = written();
    set_mode(state.path(), 0o1777);
    directory(state.path()).lock(Duration::ZERO).unwrap();
    let file = state.path().join("netns-7/a");
    set_mode(&file, 0o666);
    let told = directory(state.path()).read("a").unwrap_err().to_string();
    assert!(
        told.ends_with("mode 0666: others may write to it"),
        "{told}"
    );
}

/// As root only, who may give files away.
#[test]
fn what_belongs_to_another_user_is_refused() {
    if !Uid::effective().is_root() {
        return;
    }
    for path in [
        "",
        "netns-7",
        "netns-7/networks",
        "netns-7/networks/b",
        "netns-7/lock",
    ] {
        let state = written();
        let given = state.path().join(path);
        let mode = mode(&given);
        chown(&given, Some(NOBODY), None).unwrap();
        let storage = directory(state.path());
        let told = match path {
            "netns-7/lock" => {
                let (told, hint) = refusal(storage.lock(Duration::ZERO));
                assert!(hint.starts_with("`chown -R root "), "{hint}");
                told
            }
            _ => storage.read("networks/b").unwrap_err().to_string(),
        };
        assert!(
            told.contains(&format!("(user {NOBODY}), mode {mode:04o}; root uses only")),
            "{told}"
        );
    }
    // A parent of the state directory.
    let parent = tempfile::tempdir().unwrap();
    chown(parent.path(), Some(NOBODY), None).unwrap();
    let state = parent.path().join("state");
    let (told, hint) = refusal(directory(&state).lock(Duration::ZERO));
    assert!(
        told.contains("root uses only what belongs to root"),
        "{told}"
    );
    assert_eq!(hint, "name another folder with --state-dir");
    assert!(!state.exists());
    chown(parent.path(), Some(0), None).unwrap();
    set_mode(parent.path(), 0o777);
    let (told, hint) = refusal(directory(&state).lock(Duration::ZERO));
    assert!(
        told.ends_with("mode 0777: others may write to it"),
        "{told}"
    );
    assert!(
        hint.starts_with(&format!("`chmod go-w {}`", parent.path().display())),
        "{hint}"
    );
    set_mode(parent.path(), 0o1777);
    directory(&state).lock(Duration::ZERO).unwrap();
}

#[test]
fn a_lock_that_others_could_open_is_closed_to_them() {
    let state = written();
    let lock = state.path().join("netns-7/lock");
    set_mode(&lock, 0o666);
    directory(state.path()).lock(Duration::ZERO).unwrap();
    assert_eq!(mode(&lock), 0o600);
}

#[test]
fn leftovers_of_killed_processes_are_swept() {
    let state = written();
    let itself = state.path().join("netns-7");
    for name in [".tmp01ab9Z", ".tmp000001"] {
        fs::write(itself.join(name), "half").unwrap();
    }
    let kept = [
        ".tmp1",
        ".tmp00000-",
        "tmp000001",
        ".tmp0000001",
        "networks/.tmp000001",
    ];
    for name in kept {
        fs::write(itself.join(name), "not from here").unwrap();
    }
    fs::create_dir(itself.join(".tmpfolder")).unwrap();
    let storage = directory(state.path());
    storage.read("a").unwrap();
    assert!(
        itself.join(".tmp000001").exists(),
        "who only reads deletes nothing"
    );
    drop(storage.lock(Duration::ZERO).unwrap());
    assert!(!itself.join(".tmp01ab9Z").exists());
    assert!(!itself.join(".tmp000001").exists());
    for name in kept.iter().chain(&[".tmpfolder"]) {
        assert!(itself.join(name).exists(), "{name}");
    }
}

#[test]
fn a_copy_of_the_lock_holds_nothing_once_it_is_dropped() {
    let state = written();
    let storage = directory(state.path());
    let lock = storage.lock(Duration::ZERO).unwrap();
    // As a process has one that was forked and runs nothing else.
    let copy = lock.as_fd().try_clone_to_owned().unwrap();
    assert!(storage.lock(Duration::ZERO).is_err());
    drop(lock);
    storage.lock(Duration::ZERO).unwrap();
    drop(copy);
}
