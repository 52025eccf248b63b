//! The tree: where each file is installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::file::{naming, read};
use super::page::page;
use crate::program::{program, run};

/// Files of the workspace, and where they go.
const FILES: [(&str, &str); 7] = [
    (
        "dist/systemd/palisade.service",
        "usr/lib/systemd/system/palisade.service",
    ),
    (
        "dist/systemd/palisade-watch.service",
        "usr/lib/systemd/system/palisade-watch.service",
    ),
    ("dist/palisade.toml", "etc/palisade/palisade.toml"),
    ("README.md", "usr/share/doc/palisade/README.md"),
    ("LICENSE-MIT", "usr/share/doc/palisade/LICENSE-MIT"),
    ("LICENSE-APACHE", "usr/share/doc/palisade/LICENSE-APACHE"),
    (
        "docs/examples/networks.toml",
        "usr/share/doc/palisade/examples/networks.toml",
    ),
];
/// Documents that are pages of the manual too: the file, the page's name, and what it is.
const PAGES: [(&str, &str, &str); 2] = [
    (
        "docs/configuration.md",
        "palisade.toml",
        "configuration of palisade",
    ),
    (
        "docs/definitions.md",
        "palisade-networks",
        "definitions of virtual networks",
    ),
];
/// Shells, and where they look for completions.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/palisade"),
    ("zsh", "usr/share/zsh/vendor-completions/_palisade"),
    ("fish", "usr/share/fish/vendor_completions.d/palisade.fish"),
];

pub(super) fn plant(root: &Path, binary: &Path) -> Result<(), String> {
    let bin = root.join("usr/bin/palisade");
    folder_of(&bin)?;
    fs::copy(binary, &bin).map_err(naming(binary))?;
    fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)).map_err(naming(&bin))?;
    if run(program("strip").arg(&bin)).is_err() {
        println!("it stays as it was built, with its symbols");
    }
    for (from, to) in FILES {
        write(&root.join(to), &read(from)?)?;
    }
    for entry in fs::read_dir(crate::program::workspace().join("docs")).map_err(naming(root))? {
        let path = entry.map_err(naming(root))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.extension().is_some_and(|extension| extension == "md") {
            write(
                &root.join("usr/share/doc/palisade").join(&name),
                &read(&format!("docs/{name}"))?,
            )?;
        }
    }
    let networks = root.join("etc/palisade/networks");
    fs::create_dir_all(&networks).map_err(naming(&networks))?;
    for (shell, to) in SHELLS {
        let script = program(&bin).args(["completions", shell]).output();
        let script = script.map_err(naming(&bin))?;
        if !script.status.success() {
            return Err(format!("`palisade completions {shell}`: {}", script.status));
        }
        write(&root.join(to), &String::from_utf8_lossy(&script.stdout))?;
    }
    manual(root, &bin)
}

fn manual(root: &Path, bin: &Path) -> Result<(), String> {
    let man1 = root.join("usr/share/man/man1");
    fs::create_dir_all(&man1).map_err(naming(&man1))?;
    let written = program(bin)
        .arg("manual")
        .arg(&man1)
        .output()
        .map_err(naming(bin))?;
    if !written.status.success() {
        return Err(format!("`palisade manual`: {}", written.status));
    }
    for (from, name, what) in PAGES {
        let to = root.join(format!("usr/share/man/man5/{name}.5"));
        write(&to, &page(name, what, &read(from)?))?;
    }
    for folder in ["usr/share/man/man1", "usr/share/man/man5"] {
        let folder = root.join(folder);
        for entry in fs::read_dir(&folder).map_err(naming(&folder))? {
            let path = entry.map_err(naming(&folder))?.path();
            // Without a date, the same page is always the same file.
            run(program("gzip").args(["-9", "-n", "-f"]).arg(path))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    folder_of(path)?;
    fs::write(path, text).map_err(naming(path))
}

fn folder_of(path: &Path) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(naming(folder))
}
