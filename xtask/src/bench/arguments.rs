//! What can be said behind `cargo xtask bench`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::amount::Unit;
use super::measure::Budget;

pub(super) const USAGE: &str = "\
usage: cargo xtask bench [BENCH] [--quick] [--json FILE] [--curves DIR]

benches:
  encode      the bytes for new networks, made in memory, nothing sent
  apply       new networks in a namespace that has none: library, kernel's part, command
  add-one     one network more, beside none, one, 1,000 and 10,000
  remove-one  one network less, of two, 1,000 and 5,000
  no-change   `sync` of networks that run as they should
  read-back   what stands, read for `verify`
  packets     forwarded packets, through few and many networks
  start       what a process costs
  memory      what a network takes of the kernel's memory, and the state of a process's
  all         every one of them, as without a name

options:
  --quick       about five minutes instead of twenty (without the build)
  --json FILE   write all figures there too
  --curves DIR  draw the curves over the number of networks there, as SVG
";

/// For all cells together, so that a whole run keeps its promise, building and setting up aside.
const QUICK: Duration = Duration::from_secs(220);
const FULL: Duration = Duration::from_secs(1_000);

/// One of the benches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bench {
    Encode,
    Apply,
    AddOne,
    RemoveOne,
    NoChange,
    ReadBack,
    Packets,
    Start,
    Memory,
}

impl Bench {
    const ALL: [Self; 9] = [
        Self::Encode,
        Self::Apply,
        Self::AddOne,
        Self::RemoveOne,
        Self::NoChange,
        Self::ReadBack,
        Self::Packets,
        Self::Start,
        Self::Memory,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Encode => "encode",
            Self::Apply => "apply",
            Self::AddOne => "add-one",
            Self::RemoveOne => "remove-one",
            Self::NoChange => "no-change",
            Self::ReadBack => "read-back",
            Self::Packets => "packets",
            Self::Start => "start",
            Self::Memory => "memory",
        }
    }

    pub(super) fn unit(self) -> Unit {
        match self {
            Self::Memory => Unit::Bytes,
            _ => Unit::Seconds,
        }
    }

    /// Its part of the time, of a hundred.
    fn share(self) -> u32 {
        match self {
            Self::Encode | Self::NoChange | Self::Start => 6,
            Self::ReadBack | Self::Memory => 8,
            Self::AddOne | Self::RemoveOne => 12,
            Self::Apply => 18,
            Self::Packets => 24,
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
    /// The folder to draw curves in.
    pub(super) curves: Option<PathBuf>,
}

impl Arguments {
    /// Reads them; what is wrong with them.
    pub(super) fn parse(words: &[&str]) -> Result<Asked, String> {
        let mut arguments = Self {
            bench: None,
            extent: Extent::Full,
            json: None,
            curves: None,
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
                "--curves" => match words.next() {
                    Some(path) => arguments.curves = Some(PathBuf::from(path)),
                    None => return Err("--curves wants a folder".to_owned()),
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
        for (option, path) in [("--json", &self.json), ("--curves", &self.curves)] {
            if let Some(path) = path {
                let path = std::path::absolute(path)
                    .map_err(|error| format!("cannot tell where {} is: {error}", path.display()))?;
                words.extend([option.to_owned(), path.display().to_string()]);
            }
        }
        Ok(words)
    }

    pub(super) fn benches(&self) -> Vec<Bench> {
        self.bench
            .map_or_else(|| Bench::ALL.to_vec(), |bench| vec![bench])
    }

    /// What each of a bench's cells may take.
    pub(super) fn budget(&self, bench: Bench, cells: usize) -> Budget {
        let (time, most) = match self.extent {
            Extent::Quick => (QUICK, 31),
            Extent::Full => (FULL, 101),
        };
        Budget {
            time: time * bench.share() / 100 / u32::try_from(cells).unwrap_or(u32::MAX).max(1),
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
            curves: None,
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
    fn shares_are_of_a_hundred() {
        let shares = Bench::ALL.into_iter().map(Bench::share);
        assert_eq!(shares.sum::<u32>(), 100);
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
