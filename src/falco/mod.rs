//! `peregrine falco ARGS…`, or the program started as `falco`: Falco's options, texts and exit codes over our own parts.
//!
//! The steps and their order are those of Falco 0.44 (`app.cpp`); what is otherwise stands in `docs/from-falco.md`. All
//! that detects, replays and prints is what `peregrine run` and `peregrine replay` use.

pub mod options;
mod plugins;
mod process;
mod rules;
mod support;
pub mod version;

use crate::config::{self, AppendOutput, Config, Dialect, EngineKind};
use crate::failure::Failure;
use crate::listing::{self, FieldsOptions};
use crate::log;
use crate::playback::{Playback, SOURCE};
use crate::reload::{Fresh, Load};
use options::Options;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where the configuration is when nothing is said.
const CONFIG: &str = "/etc/falco/falco.yaml";

/// How a step ends.
enum Stop {
    /// All is said.
    Done,
    /// Nothing can go on; the text is printed behind `Error: `.
    Fatal(String),
    /// An error in the midst of things; the text is logged.
    Runtime(String),
    /// Nobody reads our output any more.
    Closed,
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Fatal(error.to_string()) }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        use Failure::{Closed, Input, System, Told, Usage};
        match failure {
            Input(error) | Usage(error) | System(error) => Self::Fatal(format!("{error:#}")),
            Told => Self::Fatal("the rules are not valid".into()),
            Closed => Self::Closed,
        }
    }
}

type Step<T = ()> = Result<T, Stop>;

/// Whether the program was started as `falco`.
pub fn is_called(program: &std::ffi::OsStr) -> bool {
    Path::new(program).file_name().is_some_and(|name| name == "falco")
}

/// Runs with Falco's arguments, without the program's name.
pub fn main(arguments: &[String]) -> ExitCode {
    log::start(log::Style::Falco, false);
    let stop = match run(arguments) {
        Ok(()) | Err(Stop::Done | Stop::Closed) => return ExitCode::SUCCESS,
        Err(stop) => stop,
    };
    match stop {
        Stop::Fatal(text) => eprintln!("Error: {}", crate::cli::printable(&text)),
        Stop::Runtime(text) => {
            let text = format!("Runtime error: {text}. Exiting.");
            if !log::is_on_stderr() {
                eprintln!("{}", crate::cli::printable(&text));
            }
            tracing::error!("{text}");
        }
        Stop::Done | Stop::Closed => {}
    }
    ExitCode::FAILURE
}

/// Everything that the steps know.
struct State {
    options: Options,
    /// The command line.
    arguments: Vec<String>,
    /// The same, as `--support` shows it.
    cmdline: String,
    config_file: Option<PathBuf>,
    config: Config,
    loaded: config::Loaded,
    playback: Playback,
}

fn run(arguments: &[String]) -> Step {
    let options = options::parse(arguments).map_err(Stop::Fatal)?;
    let config_file = config_file(&options)?;
    if options.markdown {
        eprintln!("WARNING: --markdown is deprecated, use --format markdown instead.");
    }
    prints_without_configuration(&options)?;
    let mut state = load(options, config_file, arguments)?;
    prints_before_rules(&mut state)?;
    let ruleset = rules::prepare(&state)?;
    support::print_if_asked(&state, &ruleset)?;
    process::run(state, ruleset)
}

/// How configuration and rules are loaded once more, by the same command line.
fn again(arguments: Vec<String>) -> Load {
    Box::new(move || {
        tracing::info!("SIGHUP received, restarting...");
        afresh(&arguments).map_err(|stop| match stop {
            Stop::Fatal(text) | Stop::Runtime(text) => Failure::Input(anyhow::anyhow!(text)),
            Stop::Done | Stop::Closed => Failure::Closed,
        })
    })
}

fn afresh(arguments: &[String]) -> Step<Fresh> {
    let options = options::parse(arguments).map_err(Stop::Fatal)?;
    let config_file = config_file(&options)?;
    let state = load(options, config_file, arguments)?;
    plugins::load(&state.config).map_err(Stop::Fatal)?;
    let prepared = rules::prepare(&state)?;
    let paths = paths(&state, &prepared);
    let State { config, playback, loaded, .. } = state;
    Ok(Fresh { config, rules: prepared.loaded(&loaded.files), fields: playback.fields, paths })
}

/// The files and directories that configuration and rules came from.
fn paths(state: &State, rules: &rules::Prepared) -> Vec<PathBuf> {
    let config = state.loaded.files.iter().map(|file| file.path.clone()).chain(state.loaded.folders.iter().cloned());
    let configured = match state.options.rules.as_slice() {
        [] => &state.config.rules_files,
        given => given,
    };
    config.chain(configured.iter().cloned()).chain(rules.files.iter().cloned()).collect()
}

/// The configuration file that is asked for, which must be there, or else the usual one, if it is.
fn config_file(options: &Options) -> Step<Option<PathBuf>> {
    match &options.config {
        Some(path) if std::fs::File::open(path).is_err() => {
            Err(Stop::Fatal(format!("Could not find configuration file at {}", path.display())))
        }
        Some(path) => Ok(Some(path.clone())),
        None => Ok(Some(PathBuf::from(CONFIG)).filter(|path| std::fs::File::open(path).is_ok())),
    }
}

/// Writes to standard output and ends.
fn print(text: &str) -> Step {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Err(Stop::Done)
}

fn prints_without_configuration(options: &Options) -> Step {
    if options.help {
        return print(&options::help());
    }
    if options.config_schema {
        return print(&format!("{:#}\n", config::schema()));
    }
    if options.rule_schema {
        return print(&format!("{:#}\n", peregrine_rules::json_schema()));
    }
    if options.ignored {
        let lines: String = crate::interest::ignored().iter().map(|name| format!("- {name}\n")).collect();
        return print(&format!("Ignored syscall(s):\n{lines}\n"));
    }
    if options.list_events {
        return print(&listing::events(options.layout().map_err(Stop::Fatal)?, "Falco"));
    }
    Ok(())
}

/// Loads the configuration and says which it is.
fn load(options: Options, config_file: Option<PathBuf>, arguments: &[String]) -> Step<State> {
    let loaded = config::load_as(Dialect::Falco, config_file.as_deref(), &options.overrides);
    let mut loaded = loaded.map_err(|fault| Stop::Fatal(config_error(&fault, config_file.as_deref())))?;
    let mut config = loaded.config.clone();
    log::configure(&config.log, config.time_iso_8601);
    tracing::info!("Falco version: {} ({})", version::falco(), std::env::consts::ARCH);
    let cmdline = std::iter::once("falco").chain(arguments.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    tracing::debug!("CLI args: {cmdline}");
    if config_file.is_some() {
        announce(&mut loaded.files);
    }
    loaded.warn();
    if options.unbuffered {
        config.buffered_outputs = false;
    }
    if let Some(text) = &options.print {
        tracing::warn!("The -p/--print option is deprecated and will be removed. Use -o append_output=... instead.");
        if !matches!(text.as_str(), "c" | "container" | "k" | "kubernetes") {
            config.append_output.push(AppendOutput { extra_output: text.clone(), ..AppendOutput::default() });
        }
    }
    let playback = Playback::new(&config);
    Ok(State { options, arguments: arguments.to_vec(), cmdline, config_file, config, loaded, playback })
}

/// Falco's sentence, and the place behind it.
fn config_error(fault: &config::Fault, main: Option<&Path>) -> String {
    let main = main.unwrap_or(Path::new("default")).display();
    let own = fault.message.starts_with("Config error") || fault.message.starts_with("Error parsing config option");
    let head = if own { String::new() } else { format!("Error reading config file ({main}): ") };
    let place = fault.place.to_string();
    let place = if place.is_empty() || place == main.to_string() { String::new() } else { format!(" ({place})") };
    format!("{head}{}{place}", fault.message)
}

fn announce(files: &mut [config::ConfigFile]) {
    // Falco keeps them in a map by path.
    files.sort_by(|a, b| a.path.cmp(&b.path));
    tracing::info!("Falco initialized with configuration files:");
    for file in files {
        let path = file.path.display();
        match file.faults.first() {
            None => tracing::info!("   {path} | schema validation: ok"),
            Some(fault) => tracing::warn!("   {path} | schema validation: failed for {fault}"),
        }
    }
}

fn prints_before_rules(state: &mut State) -> Step {
    let State { options, config, .. } = &*state;
    if matches!(config.engine, EngineKind::Kmod | EngineKind::ModernEbpf)
        && let Ok(version) = std::fs::read_to_string("/proc/version")
    {
        tracing::info!("System info: {version}");
    }
    if options.version {
        let json = config.json_output;
        return print(&if json { format!("{}\n", version::object()) } else { version::text() });
    }
    if options.page_size {
        tracing::info!("Your system page size is: {} bytes", rustix::param::page_size());
        return Err(Stop::Done);
    }
    if state.config_file.is_none() {
        return Err(Stop::Fatal(format!("You must create a config file at {CONFIG} or by passing -c")));
    }
    if let Some(name) = &options.plugin_info {
        return print(&plugins::info(config, name).map_err(Stop::Fatal)?);
    }
    if options.list_plugins {
        return print(&plugins::list(config).map_err(Stop::Fatal)?);
    }
    plugins::load(config).map_err(Stop::Fatal)?;
    if let Some(source) = &options.list {
        if !source.is_empty() && source != SOURCE {
            return Err(Stop::Fatal("Value for --list must be a valid source type".into()));
        }
        let format = options.layout().map_err(Stop::Fatal)?;
        let fixed: Vec<String> = config.static_fields.iter().map(|(name, _)| name.clone()).collect();
        let source = Some(source.as_str()).filter(|source| !source.is_empty());
        let (verbose, names_only) = (options.verbose, options.names_only);
        let list = FieldsOptions { format, source, verbose, names_only, fixed: &fixed };
        return print(&listing::fields(list));
    }
    sources(options, config)
}

/// Which event sources remain.
fn sources(options: &Options, config: &Config) -> Step {
    if matches!(config.engine, EngineKind::Replay { .. }) {
        return Ok(());
    }
    let fatal = |text: String| Err(Stop::Fatal(text));
    if !options.enable_sources.is_empty() && !options.disable_sources.is_empty() {
        return fatal("You can not mix --enable-source and --disable-source".into());
    }
    for (verb, names) in [("enabling", &options.enable_sources), ("disabling", &options.disable_sources)] {
        if let Some(unknown) = names.iter().find(|name| *name != SOURCE) {
            return fatal(format!("Attempted {verb} an unknown event source: {unknown}"));
        }
    }
    if !options.disable_sources.is_empty() {
        return fatal("Must enable at least one event source".into());
    }
    Ok(())
}
