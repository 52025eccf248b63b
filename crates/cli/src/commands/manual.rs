//! `manual`: a page of the manual for each command, from what `--help` says.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use serde_json::json;

use palisade::words::in_words;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Outcome;
use palisade::ErrorKind;

/// Pages that are not made from the command line.
const SEE_ALSO: &str = "\
.SH \"SEE ALSO\"
.BR palisade (1),
.BR palisade.toml (5),
.BR palisade\\-networks (5),
.BR nft (8),
.BR iptables\\-restore (8)
";

pub(super) fn manual(folder: &Path) -> Result<Outcome, Failure> {
    let mut command = Arguments::command();
    command.build();
    let mut pages = vec![("palisade".to_owned(), command.clone())];
    for sub in command.get_subcommands() {
        if sub.get_name() != "help" {
            let name = format!("palisade-{}", sub.get_name());
            pages.push((name.clone(), named(sub, &name)));
        }
    }
    let mut names = Vec::new();
    for (name, page) in pages {
        let file = folder.join(format!("{name}.1"));
        let written = page_of(page).and_then(|page| fs::write(&file, page));
        written.map_err(|error| {
            Failure::new(
                ErrorKind::System,
                format!("cannot write {}: {}", file.display(), in_words(&error)),
                "name a folder that is there and that you may write to",
            )
        })?;
        names.push(format!("{name}.1"));
    }
    let text = names
        .iter()
        .fold(String::new(), |text, name| text + name + "\n");
    Ok(Outcome::new(text, &json!({ "pages": names })))
}

/// The page is of the one command: its name has no blank.
fn named(command: &Command, name: &str) -> Command {
    let usage = name.replacen('-', " ", 1);
    command
        .clone()
        .display_name(name.to_owned())
        .bin_name(usage)
}

fn page_of(command: Command) -> std::io::Result<Vec<u8>> {
    let man = Man::new(command).section("1").manual("palisade");
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut page = with_examples(&String::from_utf8_lossy(&page));
    page.push_str(SEE_ALSO);
    Ok(page.into_bytes())
}

/// What stands below a help, its examples, under a heading that says so, each in a line.
fn with_examples(page: &str) -> String {
    let Some((before, rest)) = page.split_once(".SH EXTRA\nExample: ") else {
        return page.to_owned();
    };
    let (examples, after) = rest.split_once(".SH ").unwrap_or((rest, ""));
    let lines = examples.lines().map(str::trim_start);
    let examples = lines.fold(String::new(), |text, line| text + line + "\n");
    format!("{before}.SH EXAMPLES\n.nf\n{examples}.fi\n.SH {after}")
}
