//! What every event passes through, whichever way it came: the state, then whoever looks at the moment.

use crate::config::Config;
use crate::failure::Failure;
use crate::hold::View;
use crate::recorder::{self, Shared};
use bumpalo::Bump;
use indicatif::{ProgressBar, ProgressStyle};
use peregrine_capture::tables::Tables;
use peregrine_capture::{Item, Options, ReadStats, Reader};
use peregrine_containers::Query;
use peregrine_engine::fields::Fields;
use peregrine_engine::names::Names;
use peregrine_engine::{Moment, Session};
use peregrine_event::Event;
use peregrine_state::procfs::{ProcSource, Snapshot};
use peregrine_state::{Container, Counters, Limits, Options as StateOptions, Purging, State, ThreadSource};
use std::io::IsTerminal;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::time::Duration;

/// The name of the event source.
pub const SOURCE: &str = "syscall";

/// Memory that an event's values can take before more is asked for, in bytes.
const SCRATCH: usize = 16 << 10;

/// State and settings of one run.
pub struct Playback {
    /// The fields of the source.
    pub fields: Fields,
    session: Session,
    state: State,
    scratch: Bump,
    threads: usize,
    purging: Purging,
    containers: bool,
    /// The one container that everything belongs to.
    fixed: Option<Box<Container>>,
    recorder: Option<Shared>,
}

impl Playback {
    /// Nothing known yet.
    pub fn new(config: &Config) -> Self {
        let mut session = Session::default();
        session.time_zone = jiff::tz::TimeZone::system();
        session.containers = config.containers;
        let fields = Self::fields(config);
        Self {
            fields: Fields::default(),
            session,
            state: State::default(),
            scratch: Bump::with_capacity(SCRATCH),
            threads: config.thread_table_size,
            purging: config.purging,
            containers: config.containers,
            // What is wrong with them is said when the configuration is read.
            fixed: crate::containers::settings(config).ok().and_then(|settings| settings.fixed),
            recorder: None,
        }
        .configured(config, fields)
    }

    /// The fields of the source, and those that the configuration adds.
    pub fn fields(config: &Config) -> Fields {
        Fields::syscall().with_fixed(config.static_fields.iter().map(|(name, _)| name.clone()))
    }

    fn configured(mut self, config: &Config, fields: Fields) -> Self {
        self.configure(config, fields);
        self
    }

    /// Takes over what can change between two events.
    pub fn configure(&mut self, config: &Config, fields: Fields) {
        self.session.base64_buffers = config.buffer_base64;
        self.session.fixed = config.static_fields.iter().map(|(_, value)| value.clone().into_bytes()).collect();
        self.fields = fields;
    }

    /// Gives addresses the host names that rules compare them with.
    pub fn know(&mut self, names: Names) {
        self.session.names = names;
    }

    /// Looks host names up, from now on. Those that take longer than two seconds are known later.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn host_names(names: &[String]) -> Result<Names, Failure> {
        let lookup = |name: &str| {
            let found = (name, 0).to_socket_addrs().ok()?;
            Some(found.map(|address| address.ip()).collect())
        };
        Names::watch(names.to_vec(), lookup, Duration::from_secs(2))
            .map_err(|e| Failure::System(anyhow::Error::new(e).context("cannot start looking up host names")))
    }

    /// Hands everything to a recorder as well, or no longer to any.
    pub fn record(&mut self, recorder: Option<Shared>) {
        self.recorder = recorder;
    }

    /// The same for a recorder that begins with what is known now.
    pub fn record_from_now(&mut self, recorder: Shared) {
        recorder::locked(&recorder).section(&self.state.tables());
        self.recorder = Some(recorder);
    }

    /// What takes part in looking at events once more.
    pub fn view(&self) -> View<'_> {
        View { state: &self.state, session: &self.session, scratch: &self.scratch, fields: &self.fields }
    }

    /// The questions for containers that were met for the first time since the last call.
    pub fn queries(&mut self) -> Vec<Query> {
        if !self.state.has_wanted() {
            return Vec::new();
        }
        let wanted = self.state.take_wanted();
        wanted.iter().map(|wanted| Query::new(wanted, &self.state)).collect()
    }

    /// What the state counted.
    pub fn counters(&self) -> Counters {
        self.state.counters()
    }

    /// Begins with what a capture knows before its next event; earlier state does not carry over.
    pub fn section(&mut self, tables: Tables) {
        if let Some(recorder) = &self.recorder {
            recorder::locked(recorder).section(&tables);
        }
        // The capture's own host name stays unused: upstream's `evt.hostname` is empty on replay.
        self.state = State::with_options(tables, self.options(None));
    }

    /// Begins with a snapshot of this machine; threads that it missed are looked up in `/proc`.
    ///
    /// # Errors
    /// When `/proc` cannot be opened.
    pub fn live(&mut self, snapshot: Snapshot) -> Result<(), Failure> {
        self.session.hostname = crate::output::hostname().into_bytes();
        self.session.live = true;
        let source = ProcSource::new(&self.limits());
        let source = source.map_err(|e| Failure::System(anyhow::Error::new(e).context("cannot open /proc")))?;
        if let Some(recorder) = &self.recorder {
            recorder::locked(recorder).section(&snapshot.tables);
        }
        self.state = State::from_snapshot(snapshot, self.options(Some(Box::new(source))));
        Ok(())
    }

    fn limits(&self) -> Limits {
        Limits { threads: self.threads, ..Limits::default() }
    }

    fn options(&self, source: Option<Box<dyn ThreadSource>>) -> StateOptions {
        StateOptions {
            limits: self.limits(),
            containers: self.containers,
            discover: source.is_some(),
            fixed: self.fixed.clone(),
            source,
            purging: self.purging,
        }
    }

    /// Applies an event and shows the moment to `look`, unless the event only feeds the state.
    pub fn event<T>(
        &mut self,
        event: &Event<'_>,
        state_only: bool,
        look: impl FnOnce(&Moment<'_>, &Fields) -> T,
    ) -> Option<T> {
        if let Some(recorder) = &self.recorder {
            recorder::locked(recorder).event(event);
        }
        self.session.saw(event);
        let context = self.state.begin(event);
        let seen = (!state_only).then(|| {
            let moment = Moment {
                event,
                context: &context,
                state: &self.state,
                source: SOURCE,
                scratch: &self.scratch,
                session: &self.session,
            };
            look(&moment, &self.fields)
        });
        self.state.finish(event, &context);
        self.scratch.reset();
        seen
    }

    /// Plays a whole capture.
    pub fn capture(
        &mut self,
        path: &Path,
        lenient: bool,
        mut look: impl FnMut(&Moment<'_>, &Fields) -> Result<(), Failure>,
    ) -> Result<ReadStats, Failure> {
        let input = |error| Failure::Input(anyhow::Error::new(error));
        let options = Options { lenient, ..Options::default() };
        let mut reader = Reader::open(path, options).map_err(input)?;
        let progress = progress();
        while let Some(item) = reader.next().map_err(input)? {
            match item {
                Item::Section(tables) => self.section(*tables),
                Item::Event { event, state_only, .. } => {
                    if let Some(seen) = self.event(&event, state_only, &mut look) {
                        seen?;
                    }
                    // What a recording tells of containers comes by itself.
                    let _ = self.queries();
                    progress.inc(1);
                }
            }
        }
        progress.finish_and_clear();
        if let Some(warning) = reader.warning() {
            tracing::warn!("{warning}; everything before it was processed");
        }
        Ok(reader.stats())
    }
}

/// A counter of events on the terminal; silent where standard error is none, and where standard output is one too: the
/// two would write into each other's lines.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() || std::io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} events, {per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
