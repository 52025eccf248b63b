//! rustables' encoder beside ours. It is GPL-3.0-or-later: nothing of it is linked here, a program
//! of its own (`tests/second-opinion/examples/encode.rs`) is asked over a pipe.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use super::amount::Amount;
use super::contestant::{Contestant, Label, What, doing};

/// Tells where the program is; it is built where libclang is installed.
pub(super) const PROGRAM: &str = "XTASK_BENCH_RUSTABLES";

/// The program, waiting for words.
pub(super) struct Rustables {
    child: Child,
    words: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Rustables {
    /// Both encoders with the rules of so many networks in libvirt's layout, as far as rustables
    /// can express them; none where it could not be built.
    pub(super) fn pair<'a>(networks: usize) -> Result<Vec<Box<dyn Contestant + 'a>>, String> {
        let Some(program) = std::env::var_os(PROGRAM) else {
            return Ok(Vec::new());
        };
        let mut child = Command::new(program)
            .arg(networks.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run rustables' encoder: {error}"))?;
        let (Some(words), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no pipe to rustables' encoder".to_owned());
        };
        let program = Rc::new(RefCell::new(Self {
            child,
            words,
            answers: BufReader::new(answers),
        }));
        let contestant = |what, word: &'static str| {
            let program = Rc::clone(&program);
            let run = move || program.borrow_mut().ask(word);
            doing(Label::other(what, networks), run)
        };
        Ok(vec![
            contestant(What::OurEncoder, "ours"),
            contestant(What::Rustables, "theirs"),
        ])
    }

    /// How long an encoder takes, in nanoseconds on a line.
    fn ask(&mut self, word: &str) -> Result<Amount, String> {
        let mut answer = String::new();
        writeln!(self.words, "{word}")
            .and_then(|()| self.words.flush())
            .and_then(|()| self.answers.read_line(&mut answer))
            .map_err(|error| format!("rustables' encoder does not answer: {error}"))?;
        let nanoseconds = answer.trim().parse::<f64>();
        let nanoseconds = nanoseconds.map_err(|_| format!("no time is told: {answer}"))?;
        Ok(Amount(nanoseconds / 1e9))
    }
}

impl Drop for Rustables {
    fn drop(&mut self) {
        // It ends by itself when nobody asks any more; whether it does changes nothing here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
