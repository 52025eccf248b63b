//! What libraries say beside results and errors: their log. People get it in lines of the same kind
//! as errors; programs, which read standard error as JSON, with whatever ends the command.

use std::io::Write;
use std::sync::Mutex;

use anstyle::{AnsiColor, Style};
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::{Value, json};

use crate::arguments::OutputFormat;

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());

/// Begins to listen, for the whole process.
pub(crate) fn listen(level: LevelFilter, format: OutputFormat) {
    let listener: &dyn Log = match format {
        OutputFormat::Json => &Keeper,
        _ => &Teller,
    };
    // Nobody listened before.
    if log::set_logger(listener).is_ok() {
        log::set_max_level(level);
    }
}

/// What was said since the last time, for programs.
pub(crate) fn kept() -> Vec<Value> {
    let kept = KEPT.lock();
    kept.map_or_else(|_| Vec::new(), |mut kept| std::mem::take(&mut *kept))
}

/// Says to programs what there is to say beside a result.
pub(crate) fn flush() {
    let kept = kept();
    if !kept.is_empty() {
        // There is nobody left to tell if this fails.
        let _ = writeln!(std::io::stderr(), "{}", json!({ "messages": kept }));
    }
}

fn word(level: Level) -> (&'static str, Style) {
    match level {
        Level::Error => ("error", AnsiColor::Red.on_default().bold()),
        Level::Warn => ("warning", AnsiColor::Yellow.on_default().bold()),
        Level::Info => ("info", Style::new().bold()),
        Level::Debug => ("debug", Style::new().dimmed()),
        Level::Trace => ("trace", Style::new().dimmed()),
    }
}

/// Tells people at once.
struct Teller;

impl Log for Teller {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let (word, style) = word(record.level());
        // As above.
        let _ = writeln!(
            anstream::stderr(),
            "{style}{word}:{style:#} {}",
            record.args()
        );
    }

    fn flush(&self) {}
}

/// Keeps what programs are told later.
struct Keeper;

impl Log for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let (level, _) = word(record.level());
        let message = json!({ "level": level, "message": record.args().to_string() });
        if let Ok(mut kept) = KEPT.lock() {
            kept.push(message);
        }
    }

    fn flush(&self) {}
}
