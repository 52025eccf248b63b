//! State directories that other users own or may write to, and what they may have put there: nothing of
//! it is believed, followed, waited for or written to.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::mkfifo;
use palisade_tests::place::{Place, assert_clean, net};
use palisade_tests::{Answer, Dump, Namespace, Palisade, Trials};

use crate::kill::folder;

const NOBODY: u32 = 65534;
/// The files of the state, and one of the networks'.
const FILES: [&str; 7] = [
    "lock",
    "namespace.json",
    "index",
    "journal",
    "processes",
    "unconfirmed.json",
    "networks/net1.json",
];
/// Those that every command reads.
const READ_BY_ALL: [&str; 4] = [
    "namespace.json",
    "journal",
    "unconfirmed.json",
    "networks/net1.json",
];
const FOLDERS: [&str; 3] = ["networks", "staged", "unreadable"];

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for (kind, put) in OTHERS {
        let name = format!("state directory: {kind} in place of a file");
        trials = trials.with(name, move || in_place_of_files(kind, put));
    }
    for place in [Place::Mapped, Place::Legacy] {
        let name = format!("state directory: {place:?}: {{}}");
        let of = |what: &str| name.replace("{}", what);
        trials = trials
            .with(of("modes under a strange umask"), move || modes(place))
            .with(of("with so many inodes"), move || few_inodes(place))
            .with(of("with so many pages, nothing there"), move || {
                few_pages(place);
            });
    }
    trials
        .with("state directory: links in place of folders", links)
        .with("state directory: of another owner", foreign)
        .with("state directory: open to others", open)
        .with("state directory: of a plain user", of_a_plain_user)
        .with("state directory: leftovers of killed processes", leftovers)
}

/// What only looks, and what changes something.
fn looks() -> Vec<Vec<&'static str>> {
    vec![vec!["list"], vec!["verify"], vec!["show", "net1"]]
}

fn changes() -> Vec<Vec<&'static str>> {
    vec![vec!["remove", "net1"], vec!["repair"], vec!["recover"]]
}

/// Calls it; one that waits for somebody is killed.
fn answer(palisade: &Palisade<'_>, namespace: &Namespace, words: &[&str]) -> Answer {
    let mut command = palisade.command_by(&["timeout", "-s", "KILL", "60"], words);
    namespace.answer(&mut command, "")
}

/// Each of these commands is refused with these words, and nothing changes.
#[track_caller]
fn assert_refused(
    palisade: &Palisade<'_>,
    namespace: &Namespace,
    commands: Vec<Vec<&str>>,
    expected: &[&str],
) {
    let before = Dump::ruleset(namespace).settled();
    let files = palisade.files([&net(2)]);
    let file = files[0].to_str().expect("a path in UTF-8");
    for words in commands.into_iter().chain([vec!["apply", file]]) {
        let told = answer(palisade, namespace, &words).refusal(1);
        for expected in expected {
            assert!(told.contains(expected), "{words:?}: {expected}: {told}");
        }
        assert!(told.contains("hint: "), "{words:?}: {told}");
    }
    assert_eq!(Dump::ruleset(namespace).settled(), before);
}

/// Puts something else in the place of a file.
type Put = fn(&Path, elsewhere: &Path);

const OTHERS: [(&str, Put); 5] = [
    ("a FIFO", |path, _| {
        mkfifo(path, Mode::S_IRWXU).expect("make a FIFO");
    }),
    ("a socket", |path, _| {
        UnixListener::bind(path).expect("make a socket");
    }),
    ("a folder", |path, _| {
        fs::create_dir(path).expect("make a folder");
    }),
    ("a device", |path, _| {
        // One that can be read for ever.
        let zero = makedev(1, 5);
        mknod(path, SFlag::S_IFCHR, Mode::S_IRWXU, zero).expect("make a device");
    }),
    ("a symbolic link", |path, elsewhere| {
        symlink(elsewhere, path).expect("make a link");
    }),
];

fn in_place_of_files(kind: &str, put: Put) {
    let namespace = Namespace::new();
    for place in [Place::Mapped, Place::Legacy] {
        let palisade = place.palisade(&namespace);
        palisade.apply([&net(1)]).stdout();
        let elsewhere = palisade.state().join("../elsewhere");
        for file in FILES {
            let path = folder(&palisade).join(file);
            let saved = fs::read(&path).ok();
            fs::write(&elsewhere, saved.as_deref().unwrap_or(b"{}")).expect("write a file");
            let content = fs::read(&elsewhere).expect("read a file");
            let _ = fs::remove_file(&path);
            put(&path, &elsewhere);
            let told = format!("{} is {kind}, not a regular file", path.display());
            let commands = match file {
                _ if READ_BY_ALL.contains(&file) => [looks(), changes()].concat(),
                _ => changes(),
            };
            assert_refused(&palisade, &namespace, commands, &[&told]);
            for words in looks() {
                // Those that need it not, do without; nobody waits.
                let answer = answer(&palisade, &namespace, &words);
                assert!(matches!(answer.code, Some(0 | 1)), "{file}: {answer}");
            }
            assert_eq!(fs::read(&elsewhere).expect("read it"), content, "{file}");
            let made = fs::symlink_metadata(&path).expect("what was put there");
            assert!(!made.is_file(), "{file} was replaced");
            match made.is_dir() {
                true => fs::remove_dir(&path).expect("remove it"),
                false => fs::remove_file(&path).expect("remove it"),
            }
            if let Some(saved) = saved {
                fs::write(&path, saved).expect("put it back");
            }
        }
        assert_clean(&palisade);
        palisade.ok(["remove", "--all"]);
    }
}

fn links() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let itself = folder(&palisade);
    let elsewhere = palisade.state().join("../elsewhere");
    for name in FOLDERS {
        let path = itself.join(name);
        let is_there = path.exists();
        if is_there {
            fs::rename(&path, &elsewhere).expect("move it");
        } else {
            fs::create_dir(&elsewhere).expect("make a folder");
        }
        symlink(&elsewhere, &path).expect("make a link");
        let before = names(&elsewhere);
        let told = format!("{} is a symbolic link, not a folder", path.display());
        let commands = match name {
            "networks" => [looks(), changes()].concat(),
            _ => changes(),
        };
        assert_refused(&palisade, &namespace, commands, &[&told]);
        assert_eq!(names(&elsewhere), before, "{name}");
        fs::remove_file(&path).expect("remove the link");
        if is_there {
            fs::rename(&elsewhere, &path).expect("move it back");
        } else {
            fs::remove_dir(&elsewhere).expect("remove the folder");
        }
    }
    // The folder of the namespace.
    fs::rename(&itself, &elsewhere).expect("move it");
    symlink(&elsewhere, &itself).expect("make a link");
    let told = format!("{} is a symbolic link, not a folder", itself.display());
    let commands = [looks(), changes()].concat();
    assert_refused(&palisade, &namespace, commands, &[&told]);
    fs::remove_file(&itself).expect("remove the link");
    fs::rename(&elsewhere, &itself).expect("move it back");
    // On the way there, root may have put links.
    let state = palisade.state().to_owned();
    let moved = state.with_file_name("moved");
    fs::rename(&state, &moved).expect("move it");
    symlink("moved", &state).expect("make a link");
    assert_clean(&palisade);
    palisade.apply([&net(2)]).stdout();
    assert_eq!(palisade.running(), ["net1", "net2"]);
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("list a folder");
    let mut names: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    names
}

/// The state directory, the folder of the namespace made in advance, what is in it, and parents.
fn foreign() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let (state, itself) = (palisade.state().to_owned(), folder(&palisade));
    let parent = state.parent().expect("a parent").to_owned();
    let give = |path: &Path, to: u32| chown(path, Some(to), None).expect("give it away");
    for (path, hint) in [
        (state.clone(), "`chown -R root "),
        (itself.clone(), "`chown -R root "),
        (itself.join("networks"), "`chown -R root "),
        (itself.join("networks/net1.json"), "`chown -R root "),
        (itself.join("namespace.json"), "`chown -R root "),
        (parent, "name another folder with --state-dir"),
    ] {
        let mode = fs::metadata(&path).expect("look at it").mode() & 0o7777;
        give(&path, NOBODY);
        let belongs =
            format!("(user {NOBODY}), mode {mode:04o}; root uses only what belongs to root");
        let path_told = format!("{} belongs to ", path.display());
        let mut commands = changes();
        commands.extend(looks());
        if path.is_file() {
            // Who changes something need not read all records.
            commands.retain(|words| ["list", "verify", "recover"].contains(&words[0]));
            for words in commands {
                let told = answer(&palisade, &namespace, &words).refusal(1);
                assert!(
                    told.contains(&path_told) && told.contains(&belongs),
                    "{told}"
                );
                assert!(told.contains(hint), "{told}");
            }
        } else {
            assert_refused(
                &palisade,
                &namespace,
                commands,
                &[&path_told, &belongs, hint],
            );
        }
        give(&path, 0);
        assert_clean(&palisade);
    }
    // One that waits for the first command.
    palisade.ok(["remove", "--all"]);
    fs::remove_dir_all(&itself).expect("remove the state");
    fs::create_dir(&itself).expect("make a folder");
    give(&itself, NOBODY);
    let told = format!("{} belongs to ", itself.display());
    assert_refused(&palisade, &namespace, vec![vec!["list"]], &[&told]);
    assert!(names(&itself).is_empty());
}

fn open() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let (state, itself) = (palisade.state().to_owned(), folder(&palisade));
    let parent = state.parent().expect("a parent").to_owned();
    for (path, modes, hint) in [
        (&state, &[0o777, 0o770, 0o702][..], "`chmod -R go-w "),
        (&itself, &[0o777, 0o720, 0o1777], "`chmod -R go-w "),
        (&parent, &[0o777, 0o775], "`chmod go-w "),
    ] {
        for &mode in modes {
            let before = fs::metadata(path).expect("look at it").permissions();
            fs::set_permissions(path, Permissions::from_mode(mode)).expect("open it");
            let told = format!("{} belongs to root, mode {mode:04o}", path.display());
            let commands = [looks(), changes()].concat();
            let expected = [told.as_str(), "others may write to it", hint];
            assert_refused(&palisade, &namespace, commands, &expected);
            fs::set_permissions(path, before).expect("close it");
        }
    }
    // Others cannot replace what is in a sticky one.
    fs::set_permissions(&parent, Permissions::from_mode(0o1777)).expect("open it");
    assert_clean(&palisade);
}

/// Theirs or root's, and never the folder that somebody else made for them.
fn of_a_plain_user() {
    let namespace = Namespace::new();
    let palisade = Palisade::new(&namespace);
    let files = palisade.files([&net(1)]);
    let place = tempfile::tempdir().expect("make a folder");
    let open = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("open it");
    };
    open(place.path(), 0o1777);
    let (binary, definition) = (place.path().join("palisade"), place.path().join("net1.xml"));
    let copy = |from: &Path, to: &Path| {
        let copied = Command::new("cp").arg(from).arg(to).status();
        assert!(copied.expect("run cp").success());
        open(to, 0o755);
    };
    copy(
        Path::new(palisade.command::<&str>([]).get_program()),
        &binary,
    );
    copy(&files[0], &definition);
    let run = |variables: &[(&str, &Path)]| {
        let nobody = NOBODY.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
        command
            .arg(&binary)
            .args(["--backend", "none", "apply"])
            .arg(&definition);
        command.env("NO_COLOR", "1").env_remove("XDG_RUNTIME_DIR");
        command.envs(variables.iter().copied());
        namespace.answer(&mut command, "")
    };
    let runtime = place.path().join("runtime");
    for (variable, made) in [
        ("XDG_RUNTIME_DIR", runtime.join("palisade")),
        ("TMPDIR", runtime.join(format!("palisade-{NOBODY}"))),
    ] {
        fs::create_dir_all(&made).expect("make a folder");
        chown(&runtime, Some(NOBODY), None).expect("give it away");
        chown(&made, Some(1), None).expect("give it away");
        let told = run(&[(variable, &runtime)]).refusal(1);
        let belongs = format!("{} belongs to ", made.display());
        assert!(
            told.contains(&belongs) && told.contains("(user 1), mode 0755"),
            "{told}"
        );
        assert!(told.contains(&format!("(user {NOBODY}) or root")), "{told}");
        assert!(
            told.contains("hint: name another folder with --state-dir"),
            "{told}"
        );
        chown(&made, Some(NOBODY), None).expect("give it away");
        assert_eq!(run(&[(variable, &runtime)]).stdout(), "+ net1: add\n");
        // A parent of somebody else's, who may put anything in its place.
        chown(&runtime, Some(1), None).expect("give it away");
        let told = run(&[(variable, &runtime)]).refusal(1);
        assert!(
            told.contains(&format!("{} belongs to ", runtime.display())),
            "{told}"
        );
        fs::remove_dir_all(&runtime).expect("remove the folder");
    }
}

fn modes(place: Place) {
    for mask in ["0", "0277", "0777"] {
        let namespace = Namespace::new();
        let palisade = place.palisade(&namespace);
        let files = palisade.files([&net(1), &net(2)]);
        for file in &files {
            let script = format!("umask {mask}; exec \"$@\"");
            let words = ["apply", file.to_str().expect("a path in UTF-8")];
            let mut command = palisade.command_by(&["sh", "-c", &script, "sh"], words);
            namespace.answer(&mut command, "").stdout();
        }
        let mut seen = 0;
        let mut folders = vec![palisade.state().to_owned()];
        while let Some(folder) = folders.pop() {
            for path in names(&folder) {
                let found = fs::symlink_metadata(&path).expect("look at it");
                let expected = if found.is_dir() { 0o700 } else { 0o600 };
                let mode = found.mode() & 0o7777;
                assert_eq!(mode, expected, "{} under {mask}", path.display());
                seen += 1;
                if found.is_dir() {
                    folders.push(path);
                }
            }
            let mode = fs::metadata(&folder).expect("look at it").mode() & 0o7777;
            assert_eq!(mode, 0o700, "{} under {mask}", folder.display());
        }
        assert!(seen > 6, "{seen} files and folders");
    }
}

fn leftovers() {
    let namespace = Namespace::new();
    let palisade = Place::Mapped.palisade(&namespace);
    palisade.apply([&net(1)]).stdout();
    let itself = folder(&palisade);
    let left = [".tmpAbCd19", ".tmp00f00f"].map(|name| itself.join(name));
    for path in &left {
        fs::write(path, "half a rec").expect("write a file");
    }
    assert_eq!(palisade.running(), ["net1"]);
    palisade.apply([&net(2)]).stdout();
    for path in &left {
        assert!(!path.exists(), "{}", path.display());
    }
    assert_clean(&palisade);
}

/// Where nothing runs yet, and beside a network that runs.
fn few_inodes(place: Place) {
    let (mut failed, mut done) = (0, 0);
    for inodes in 1..=16 {
        for first in ["", "\"$@\" apply \"$FIRST\" &&"] {
            let script = format!(
                "mount -t tmpfs tmpfs \"$STATE\" && {first} \
                 used=$(find \"$STATE\" | wc -l) && \
                 mount -o remount,nr_inodes=$((used + {inodes} - 1)) \"$STATE\" || exit 90\n"
            );
            let answer = crate::storage::apply_second(place, &script);
            failed += usize::from(answer.code == Some(1));
            done += usize::from(answer.code == Some(0));
            let told = format!("{inodes} inodes left, {first:?}");
            crate::storage::assert_whole(&answer, &told);
        }
    }
    assert!(failed > 2 && done > 2, "{failed} failed, {done} done");
}

fn few_pages(place: Place) {
    let (mut failed, mut done) = (0, 0);
    for pages in 1..=16 {
        let script = format!(
            "mount -t tmpfs -o size={}k tmpfs \"$STATE\" || exit 90\n",
            4 * pages
        );
        let answer = crate::storage::apply_second(place, &script);
        failed += usize::from(answer.code == Some(1));
        done += usize::from(answer.code == Some(0));
        crate::storage::assert_whole(&answer, &format!("{pages} pages"));
    }
    assert!(failed > 0 && done > 0, "{failed} failed, {done} done");
}
