//! What the documents say of the command is so.

use std::fs;
use std::path::{Path, PathBuf};

use crate::palisade::Palisade;

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of the one fenced block of a document that begins so.
pub(crate) fn block(document: &str, info: &str) -> String {
    let fence = format!("\n```{info}\n");
    let mut found = document.split(&fence).skip(1);
    let text = found.next().unwrap_or_else(|| panic!("no block `{info}`"));
    assert!(found.next().is_none(), "two blocks `{info}`");
    let (text, _) = text.split_once("```").unwrap();
    text.to_owned()
}

#[test]
fn layouts_are_what_is_rendered() {
    let document = read("docs/layouts.md");
    let palisade = Palisade::new();
    palisade.file("networks.toml", &read("docs/examples/networks.toml"));
    for layout in ["mapped", "flat"] {
        let rendered = palisade.output(&format!("render --layout {layout} networks.toml"));
        assert_eq!(block(&document, &format!("nft {layout}")), rendered);
    }
}

#[test]
fn layouts_show_the_example_as_it_is() {
    let example = read("docs/examples/networks.toml");
    assert_eq!(block(&read("docs/layouts.md"), "toml networks"), example);
}

/// Every `palisade` line of the README runs, in its order. With the backend `none` even those that
/// would change rules change none.
#[test]
fn commands_of_the_readme_run() {
    let readme = read("README.md");
    let palisade = Palisade::new();
    palisade.file("default.xml", &block(&readme, "xml default.xml"));
    palisade.file("none.toml", "firewall_backend = 'none'\n");
    let mut names = Vec::new();
    for line in block(&readme, "sh").lines() {
        let (line, comment) = line.split_once('#').unwrap();
        let (_, command) = line.split_once("palisade ").unwrap();
        assert_ne!(comment, "", "{line}");
        names.push(command.split_whitespace().next().unwrap().to_owned());
        let line = format!("--config none.toml {command}");
        if command.starts_with("explain") {
            // Nothing is running here that has a bridge: what the host would do is said all the same.
            let told = palisade.transcript(&line);
            assert!(told.contains("\nunroutable: "), "{told}");
        } else {
            palisade.output(&line);
        }
    }
    let expected = [
        "check", "render", "apply", "list", "show", "apply", "plan", "verify", "repair",
        "counters", "graph", "explain", "compare", "sync", "recover", "remove",
    ];
    assert_eq!(names, expected);
}

/// Those that touch nothing do so with any backend, and without root.
#[test]
fn what_touches_nothing_needs_no_root() {
    let readme = read("README.md");
    let palisade = Palisade::new();
    palisade.file("default.xml", &block(&readme, "xml default.xml"));
    let mut run = 0;
    for line in block(&readme, "sh").lines() {
        if line.ends_with("touches nothing") {
            let (_, line) = line.split_once("palisade ").unwrap();
            let (command, _) = line.split_once('#').unwrap();
            assert_ne!(palisade.output(command), "", "{command}");
            run += 1;
        }
    }
    assert_eq!(run, 3);
    assert!(!palisade.folder().join("state").exists());
}

#[test]
fn the_configuration_in_the_readme_is_the_default() {
    let readme = read("README.md");
    let palisade = Palisade::new();
    palisade.file("default.xml", &block(&readme, "xml default.xml"));
    palisade.file("readme.toml", &block(&readme, "toml palisade.toml"));
    assert_eq!(
        palisade.output("--config readme.toml render default.xml"),
        palisade.output("render default.xml")
    );
}

/// The example is tried where it comes from, by rustdoc.
#[test]
fn embedding_is_as_in_the_library() {
    let source = read("crates/palisade/src/lib.rs");
    let documented: Vec<&str> = source
        .lines()
        .skip_while(|line| *line != "//! ```no_run")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.strip_prefix("//!").unwrap())
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    assert!(documented.len() > 5, "{documented:?}");
    let readme = block(&read("README.md"), "rust");
    assert_eq!(readme.lines().collect::<Vec<_>>(), documented);
}

/// Files that documents lead to are there, and have the heading that is named.
#[test]
fn links_lead_somewhere() {
    let mut documents = vec![PathBuf::from("README.md"), PathBuf::from("CONTRIBUTING.md")];
    for folder in ["docs", "docs/decisions"] {
        let files = fs::read_dir(root().join(folder)).unwrap();
        let names = files.map(|file| Path::new(folder).join(file.unwrap().file_name()));
        documents.extend(names.filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    let mut followed = 0;
    for document in documents {
        let text = read(document.to_str().unwrap());
        let folder = root().join(document.parent().unwrap());
        for link in text.split("](").skip(1) {
            let (link, _) = link.split_once(')').unwrap();
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = folder.join(target);
            assert!(target.exists(), "{}: {link}", document.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(target).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                let is_it = |line: &str| {
                    let title = line.trim_start_matches('#').trim().to_lowercase();
                    title.replace(' ', "-") == heading
                };
                assert!(headings.any(is_it), "{}: {link}", document.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 15, "{followed}");
}

/// README leads to every document, and each is there under its name.
#[test]
fn the_readme_names_all_documents() {
    let readme = read("README.md");
    let (_, index) = readme.split_once("\n## Documents\n").unwrap();
    let (index, _) = index.split_once("\n## ").unwrap();
    let mut found = 0;
    for file in fs::read_dir(root().join("docs")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") || name == "decisions" {
            assert!(
                index.contains(&format!("- [docs/{name}](docs/{name}): ")),
                "{name}"
            );
            found += 1;
        }
    }
    assert!(found > 9, "{found}");
}

/// A file that the map of the code names is there.
#[test]
fn the_map_names_files_that_exist() {
    let architecture = read("docs/architecture.md");
    let mut found = 0;
    for section in architecture.split("### `").skip(1) {
        let (path, rest) = section.split_once('`').unwrap();
        let source = root().join(path).join("src");
        for row in rest.lines().filter_map(|line| line.strip_prefix("| `")) {
            let (cell, _) = row.split_once(" | ").unwrap();
            for name in cell.trim_end_matches('`').split("`, `") {
                assert!(source.join(name).exists(), "{path}: {name}");
                found += 1;
            }
        }
    }
    assert!(found > 20, "{found}");
}
