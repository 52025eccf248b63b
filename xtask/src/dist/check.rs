//! Whether what people install is sound: pages without warnings, scripts that shells understand,
//! units that systemd does, a package that unpacks into something that runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::file::naming;
use super::make::make;
use crate::program::{is_root, program, run};

const SHELLS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/palisade"),
    ("zsh", "usr/share/zsh/vendor-completions/_palisade"),
    ("fish", "usr/share/fish/vendor_completions.d/palisade.fish"),
];

/// Makes all of it without optimizing, and looks at each part.
pub(crate) fn check() -> Result<(), String> {
    let made = make(true)?;
    let [root, _, package] = made.as_slice() else {
        return Err("not all was made".to_owned());
    };
    manual(root)?;
    for section in ["man1", "man5"] {
        let folder = root.join("usr/share/man").join(section);
        for entry in fs::read_dir(&folder).map_err(naming(&folder))? {
            let page = entry.map_err(naming(&folder))?.path();
            let mut man = program("man");
            man.args(["--warnings", "--local-file"]).arg(&page);
            silent(man.env("MANPAGER", "cat"))?;
        }
    }
    for (shell, script) in SHELLS {
        silent(program(shell).arg("-n").arg(root.join(script)))?;
    }
    units(root)?;
    let unpacked = root.with_file_name("unpacked");
    run(program("dpkg-deb")
        .arg("--extract")
        .arg(package)
        .arg(&unpacked))?;
    run(program(unpacked.join("usr/bin/palisade")).arg("--version"))?;
    installed(root, package)
}

/// Installs the package below a folder and takes it away again, with a database of packages of its
/// own: what an administrator may have changed stays until it is purged.
fn installed(tree: &Path, package: &Path) -> Result<(), String> {
    if !is_root() {
        println!("SKIPPED: installing the package takes root");
        return Ok(());
    }
    let root = tree.with_file_name("installed");
    if root.exists() {
        fs::remove_dir_all(&root).map_err(naming(&root))?;
    }
    let database = root.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        let folder = database.join(folder);
        fs::create_dir_all(&folder).map_err(naming(&folder))?;
    }
    let status = database.join("status");
    fs::write(&status, "").map_err(naming(&status))?;
    let dpkg = |action: &str, what: &Path| {
        let mut dpkg = program("dpkg");
        dpkg.arg(format!("--root={}", root.display()));
        // What it depends on is not there, and neither is a shell for its scripts.
        dpkg.args(["--force-depends", "--force-script-chrootless"]);
        dpkg.stdout(Stdio::null()).stderr(Stdio::null());
        run(dpkg.arg(action).arg(what))
    };
    let paths = files(tree, tree)?;
    let expect = |when: &str, is_there: &dyn Fn(&Path) -> bool| {
        let wrong = paths
            .iter()
            .find(|path| root.join(path).exists() != is_there(path));
        wrong.map_or(Ok(()), |path| Err(format!("{} {when}", path.display())))
    };
    dpkg("--install", package)?;
    expect("is not installed", &|_| true)?;
    dpkg("--remove", Path::new("palisade"))?;
    expect("is there after removal, or is not", &|path| {
        path.starts_with("etc")
    })?;
    dpkg("--purge", Path::new("palisade"))?;
    expect("stays after a purge", &|_| false)
}

/// The files below a folder, seen from `root`.
fn files(root: &Path, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(naming(folder))? {
        let path = entry.map_err(naming(folder))?.path();
        if path.is_dir() {
            found.extend(files(root, &path)?);
        } else {
            found.push(path.strip_prefix(root).unwrap_or(&path).to_owned());
        }
    }
    Ok(found)
}

/// Each command has a page, and so have the files that people write.
fn manual(root: &Path) -> Result<(), String> {
    let help = program(root.join("usr/bin/palisade")).arg("-h").output();
    let help = help.map_err(naming(root))?.stdout;
    let help = String::from_utf8_lossy(&help).into_owned();
    let commands = help.split("Commands:\n").nth(1).unwrap_or_default();
    let commands = commands.split("\n\n").next().unwrap_or_default();
    let names = commands.lines().filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let pages = names.filter(|&name| name != "help");
    let mut pages: Vec<String> = pages
        .map(|name| format!("man1/palisade-{name}.1.gz"))
        .collect();
    if pages.len() < 15 {
        return Err(format!("the help names {} commands", pages.len()));
    }
    let others = [
        "man1/palisade.1.gz",
        "man5/palisade.toml.5.gz",
        "man5/palisade-networks.5.gz",
    ];
    pages.extend(others.map(str::to_owned));
    let man = root.join("usr/share/man");
    match pages.iter().find(|page| !man.join(page).is_file()) {
        Some(missing) => Err(format!("there is no page {missing}")),
        None => Ok(()),
    }
}

/// systemd looks for the command where it would be installed: here, where it is now.
fn units(root: &Path) -> Result<(), String> {
    let folder = root.join("usr/lib/systemd/system");
    let aside = root.with_file_name("units");
    fs::create_dir_all(&aside).map_err(naming(&aside))?;
    let mut verify = program("systemd-analyze");
    verify.args(["verify", "--man=no"]);
    for entry in fs::read_dir(&folder).map_err(naming(&folder))? {
        let unit = entry.map_err(naming(&folder))?.path();
        let text = fs::read_to_string(&unit).map_err(naming(&unit))?;
        let bin = root.join("usr/bin/palisade");
        let here = text.replace("/usr/bin/palisade", &bin.to_string_lossy());
        let copy = aside.join(unit.file_name().unwrap_or_default());
        fs::write(&copy, here).map_err(naming(&copy))?;
        verify.arg(copy);
    }
    silent(&mut verify)
}

/// Runs a program that shall complain of nothing.
fn silent(command: &mut Command) -> Result<(), String> {
    let answer = command.output();
    let answer = answer.map_err(|error| format!("cannot run {command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&answer.stderr);
    if answer.status.success() && said.trim().is_empty() {
        Ok(())
    } else {
        Err(format!("{command:?}: {}: {said}", answer.status))
    }
}
