//! What can be said behind `cargo xtask bench`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::measure::Budget;

pub(super) const USAGE: &str = "\
usage: cargo xtask bench [encode|apply|all] [--quick] [--json FILE]

benches:
  encode   the bytes for new networks, made in memory, nothing sent
  apply    new networks in a namespace that has none: library, kernel's part, command
  all      every one of them, as without a name

options:
  --quick       under a minute instead of under five (without the build)
  --json FILE   write all figures there too
";

/// For all cells together, so that a whole run keeps its promise, building aside.
const QUICK: Duration = Duration::from_secs(42);
const FULL: Duration = Duration::from_secs(240);

/// One of the benches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bench {
    Encode,
    Apply,
}

impl Bench {
    const ALL: [Self; 2] = [Self::Encode, Self::Apply];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Encode => "encode",
            Self::Apply => "apply",
        }
    }
}

impl fmt::Display for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How much to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Quick,
    Full,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Help,
    Run(Arguments),
}

/// What to measure, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arguments {
    /// None for all.
    bench: Option<Bench>,
    extent: Extent,
    /// Where to write the figures too.
    pub(super) json: Option<PathBuf>,
}

impl Arguments {
    /// Reads them; what is wrong with them.
    pub(super) fn parse(words: &[&str]) -> Result<Asked, String> {
        let mut arguments = Self {
            bench: None,
            extent: Extent::Full,
            json: None,
        };
        let mut name = None;
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            match word {
                "-h" | "--help" => return Ok(Asked::Help),
                "--quick" => arguments.extent = Extent::Quick,
                "--json" => match words.next() {
                    Some(path) => arguments.json = Some(PathBuf::from(path)),
                    None => return Err("--json wants a file".to_owned()),
                },
                option if option.starts_with('-') => {
                    return Err(format!("there is no option `{option}`"));
                }
                bench => match name.replace(bench) {
                    None => {}
                    Some(first) => return Err(format!("`{first}` or `{bench}`, not both")),
                },
            }
        }
        arguments.bench = match name {
            None | Some("all") => None,
            Some(name) => match Bench::ALL.into_iter().find(|bench| bench.name() == name) {
                Some(bench) => Some(bench),
                None => return Err(format!("there is no bench `{name}`")),
            },
        };
        Ok(Asked::Run(arguments))
    }

    /// The same in words again, for another process that may run elsewhere.
    pub(super) fn words(&self) -> Result<Vec<String>, String> {
        let mut words = vec![self.bench.map_or("all", Bench::name).to_owned()];
        if self.extent == Extent::Quick {
            words.push("--quick".to_owned());
        }
        if let Some(path) = &self.json {
            let path = std::path::absolute(path)
                .map_err(|error| format!("cannot tell where {} is: {error}", path.display()))?;
            words.extend(["--json".to_owned(), path.display().to_string()]);
        }
        Ok(words)
    }

    pub(super) fn benches(&self) -> Vec<Bench> {
        self.bench
            .map_or_else(|| Bench::ALL.to_vec(), |bench| vec![bench])
    }

    /// What each of so many cells may take.
    pub(super) fn budget(&self, cells: usize) -> Budget {
        let (time, most) = match self.extent {
            Extent::Quick => (QUICK, 15),
            Extent::Full => (FULL, 51),
        };
        Budget {
            time: time / u32::try_from(cells).unwrap_or(u32::MAX).max(1),
            least: 3,
            most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Asked, String> {
        Arguments::parse(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn options_stand_before_and_after_the_name() {
        let expected = Arguments {
            bench: Some(Bench::Apply),
            extent: Extent::Quick,
            json: Some("/x.json".into()),
        };
        for text in [
            "apply --quick --json /x.json",
            "--json /x.json --quick apply",
        ] {
            assert_eq!(parsed(text), Ok(Asked::Run(expected.clone())));
        }
        assert_eq!(
            expected.words().unwrap(),
            ["apply", "--quick", "--json", "/x.json"]
        );
    }

    #[test]
    fn without_a_name_all_are_meant() {
        assert_eq!(parsed(""), parsed("all"));
        let Ok(Asked::Run(arguments)) = parsed("") else {
            panic!("no run");
        };
        assert_eq!(arguments.benches(), Bench::ALL);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(parsed("fly"), Err("there is no bench `fly`".to_owned()));
        assert_eq!(
            parsed("encode apply"),
            Err("`encode` or `apply`, not both".to_owned())
        );
        assert_eq!(
            parsed("--fast"),
            Err("there is no option `--fast`".to_owned())
        );
        assert_eq!(parsed("--json"), Err("--json wants a file".to_owned()));
    }
}
