//! `peregrine dump FILE.scap|--live`: events, one a line, as `sysdig -p` prints them.

use crate::cli::{ConfigArgs, json_line, one_line};
use crate::condition;
use crate::containers::{self, Containers};
use crate::failure::Failure;
use crate::live::{self, Live, LiveArgs};
use crate::playback::Playback;
use peregrine_alert::json;
use peregrine_driver::Needs;
use peregrine_engine::fields::Fields;
use peregrine_engine::{Moment, output};
use peregrine_filter::check::TypedOperand;
use peregrine_filter::format::{self, Format, Piece};
use std::cell::RefCell;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// What a line shows when nothing is said.
const DEFAULT: &str = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info";

/// The command's options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The capture to read
    #[arg(value_name = "FILE", required_unless_present = "live")]
    file: Option<PathBuf>,
    /// This machine's events as they happen, instead of a capture's
    #[arg(long, conflicts_with = "file")]
    live: bool,
    #[command(flatten)]
    watch: LiveArgs,
    /// Only events for which this condition holds
    #[arg(long, value_name = "CONDITION")]
    filter: Option<String>,
    /// What to print of an event; without a leading *, events that lack one of the fields are passed over
    #[arg(short = 'p', long = "print", value_name = "FORMAT")]
    print: Option<String>,
    /// One JSON object an event: the format's fields, typed, null where there is no value
    #[arg(long)]
    json: bool,
    /// Read a damaged capture up to the damage
    #[arg(long)]
    lenient: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Prints the events.
pub fn execute(args: &Args) -> Result<(), Failure> {
    let config = args.config.load()?;
    let mut playback = Playback::new(&config);
    let mut filter =
        args.filter.as_deref().map(|text| condition::compile(text, &playback.fields, !args.live)).transpose()?;
    let lines = Lines::new(args.print.as_deref().unwrap_or(DEFAULT), args.json, &playback.fields)?;
    let lines = RefCell::new(lines);
    let needs = filter.as_ref().map_or(Needs::everything(), |filter| live::needs(filter.needs()));
    let mut look = |moment: &Moment<'_>, fields: &Fields| {
        if filter.as_mut().is_some_and(|filter| filter.evaluate(moment).is_empty()) {
            return Ok(());
        }
        lines.borrow_mut().print(moment, fields)
    };
    match &args.file {
        Some(file) => {
            playback.capture(file, args.lenient, look)?;
        }
        None => {
            let (mut live, snapshot) = Live::start(&config, &args.watch, needs)?;
            let containers = Containers::start(&config)?;
            playback.live(snapshot)?;
            live.run(
                |event| {
                    playback.event(event, false, &mut look).unwrap_or(Ok(()))?;
                    // What is found out about containers is not shown as an event: nothing happened.
                    containers::pump(&containers, &mut playback, event.ts, |playback, event| {
                        playback.event(event, true, |_, _| ());
                        Ok(())
                    })
                },
                |batch, _| {
                    live::warn_of(batch);
                    Ok(lines.borrow_mut().out.flush()?)
                },
                || false,
            )?;
        }
    }
    Ok(lines.borrow_mut().out.flush()?)
}

/// Prints moments, one a line.
struct Lines<W: Write> {
    format: Format,
    /// The fields of a JSON object, by their texts as written; none for lines of text.
    keys: Option<Vec<(String, TypedOperand)>>,
    out: W,
    line: String,
}

impl Lines<BufWriter<std::io::StdoutLock<'static>>> {
    fn new(text: &str, json: bool, fields: &Fields) -> Result<Self, Failure> {
        let format =
            format::parse(text, fields).map_err(|e| condition::fault(text, e.offset, &e.message, e.help.as_deref()))?;
        let keys = json.then(|| keys(&format));
        Ok(Self { format, keys, out: BufWriter::new(std::io::stdout().lock()), line: String::new() })
    }
}

impl<W: Write> Lines<W> {
    fn print(&mut self, moment: &Moment<'_>, fields: &Fields) -> Result<(), Failure> {
        self.line.clear();
        if let Some(keys) = &self.keys {
            let values = keys.iter().map(|(key, value)| (key, output::json(value, fields, moment)));
            json::write_object(&values.collect::<Vec<_>>(), &mut self.line);
            writeln!(self.out, "{}", json_line(&self.line))?;
        } else if output::write(&self.format, fields, moment, &mut self.line) {
            writeln!(self.out, "{}", one_line(&self.line))?;
        }
        Ok(())
    }
}

/// The format's fields as they are written in it, each once.
fn keys(format: &Format) -> Vec<(String, TypedOperand)> {
    let mut keys: Vec<(String, TypedOperand)> = Vec::new();
    for piece in &format.pieces {
        if let Piece::Value { value, text, .. } = piece
            && keys.iter().all(|(key, _)| key != text)
        {
            keys.push((text.clone(), value.clone()));
        }
    }
    keys
}
