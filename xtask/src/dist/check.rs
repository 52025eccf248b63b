//! Whether what people install is sound: pages without warnings, scripts that shells understand,
//! units that systemd does, a package that unpacks into something that runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{make, told};
use crate::program::{program, run};

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
    for section in ["man1", "man5"] {
        let folder = root.join("usr/share/man").join(section);
        for entry in fs::read_dir(&folder).map_err(told(&folder))? {
            let page = entry.map_err(told(&folder))?.path();
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
    run(program(unpacked.join("usr/bin/palisade")).arg("--version"))
}

/// systemd looks for the command where it would be installed: here, where it is now.
fn units(root: &Path) -> Result<(), String> {
    let folder = root.join("usr/lib/systemd/system");
    let aside = root.with_file_name("units");
    fs::create_dir_all(&aside).map_err(told(&aside))?;
    let mut verify = program("systemd-analyze");
    verify.args(["verify", "--man=no"]);
    for entry in fs::read_dir(&folder).map_err(told(&folder))? {
        let unit = entry.map_err(told(&folder))?.path();
        let text = fs::read_to_string(&unit).map_err(told(&unit))?;
        let bin = root.join("usr/bin/palisade");
        let here = text.replace("/usr/bin/palisade", &bin.to_string_lossy());
        let copy = aside.join(unit.file_name().unwrap_or_default());
        fs::write(&copy, here).map_err(told(&copy))?;
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
