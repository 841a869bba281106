//! Alerts to the outputs that the configuration asks for; on a terminal in a layout for people.

use crate::cli::{json_line, one_line};
use crate::config::Config;
use crate::failure::Failure;
use peregrine_alert::{Alert, Layout, Priority, time};
use peregrine_outputs::outputs::StartError;
use peregrine_outputs::sinks::{file, http, program, stdout, syslog, tls};
use peregrine_outputs::{Cause, Message, Outputs, Overflow, Prepared, Report, Settings};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// In whose manner alerts are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Ours: readable on a terminal, and nothing but alerts on standard output.
    Own,
    /// The same, and alerts are JSON whatever the configuration says.
    Json,
    /// Falco's: its lines also on a terminal, and receivers' answers among them where that is asked for.
    Falco,
}

impl Manner {
    /// Ours.
    pub fn own(json: bool) -> Self {
        if json { Self::Json } else { Self::Own }
    }
}

/// Where alerts go.
pub struct Output {
    prepared: Option<Prepared>,
    outputs: Option<Arc<Outputs>>,
    reopen: Arc<AtomicBool>,
    /// Alerts of rules handed over so far.
    alerts: u64,
}

impl Output {
    /// The outputs of the configuration, made but not yet at work: see [`Output::start`].
    ///
    /// # Errors
    /// When the settings of one are wrong.
    pub fn new(config: &Config, manner: Manner) -> Result<Self, Failure> {
        let mut settings = settings(config, manner == Manner::Json)?;
        if manner == Manner::Falco {
            if let Some(stdout) = &mut settings.stdout {
                let safe: stdout::Render = Arc::new(|message: &Message| json_line(message.line()).into_owned());
                stdout.render = stdout.render.is_some().then_some(safe);
            }
            if let Some(http) = settings.http.as_mut().filter(|http| http.echo == http::Echo::Log) {
                http.echo = http::Echo::Stdout;
            }
        }
        let prepared = Prepared::new(settings).map_err(wrong)?;
        Ok(Self { prepared: Some(prepared), ..Self::none() })
    }

    /// Nowhere.
    pub fn none() -> Self {
        Self { prepared: None, outputs: None, reopen: Arc::default(), alerts: 0 }
    }

    /// Starts their threads, which have this thread's privileges; and has SIGUSR1 open them anew. Events that do not
    /// wait are `live`: then a full queue is a loss, which is counted, else it is waited for.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(&mut self, live: bool) -> Result<(), Failure> {
        let Some(prepared) = self.prepared.take().filter(|prepared| !prepared.is_empty()) else { return Ok(()) };
        let overflow = if live { Overflow::Lose } else { Overflow::Wait };
        self.outputs = Some(Arc::new(prepared.start(overflow).map_err(wrong)?));
        let hooked = signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&self.reopen));
        hooked.map_err(|e| Failure::System(anyhow::Error::new(e).context("cannot watch for SIGUSR1")))?;
        Ok(())
    }

    /// The outputs at work, to be shared with other threads; `None` where there are none.
    pub fn outputs(&self) -> Option<Arc<Outputs>> {
        self.outputs.clone()
    }

    /// Alerts of rules handed over so far, by these outputs and those that they took the place of.
    pub fn alerts(&self) -> u64 {
        self.alerts
    }

    /// Takes the place of others.
    pub fn count_on(&mut self, others: &Self) {
        self.alerts = others.alerts;
    }

    /// Hands one alert to every output.
    ///
    /// # Errors
    /// As [`Output::tend`].
    pub fn alert(&mut self, alert: Alert) -> Result<(), Failure> {
        self.alerts += u64::from(alert.source != "internal");
        if let Some(outputs) = &self.outputs {
            outputs.send(alert);
        }
        self.tend()
    }

    /// Does what signals ask for.
    ///
    /// # Errors
    /// [`Failure::Closed`] when nobody is left to be told; [`Failure::System`] when the only output cannot be written.
    pub fn tend(&mut self) -> Result<(), Failure> {
        let Some(outputs) = &self.outputs else { return Ok(()) };
        if self.reopen.swap(false, Relaxed) {
            tracing::info!("SIGUSR1 received, reopening outputs...");
            outputs.reopen();
        }
        match outputs.ended() {
            None => Ok(()),
            Some(error) if error.cause == Cause::Closed => Err(Failure::Closed),
            Some(error) => Err(Failure::System(anyhow::Error::new(error.clone()))),
        }
    }

    /// Delivers what is queued, within the time of grace; what became of all alerts.
    pub fn finish(&mut self) -> (Vec<Report>, Result<(), Failure>) {
        let reports = self.outputs.as_ref().map_or_else(Vec::new, |outputs| outputs.stop());
        (reports, self.tend())
    }
}

/// Whether two configurations ask for different outputs, or for other lines.
pub fn differs(old: &Config, new: &Config) -> bool {
    let lines = |c: &Config| {
        let json = (c.json_output, c.json_include_output, c.json_include_message);
        (json, c.json_include_output_fields, c.json_include_tags, c.time_iso_8601, c.buffered_outputs)
    };
    let queue = |c: &Config| (c.outputs_queue_capacity, c.output_timeout);
    lines(old) != lines(new)
        || queue(old) != queue(new)
        || old.outputs != new.outputs
        || old.stdout != new.stdout
        || old.syslog != new.syslog
        || old.file != new.file
        || old.http != new.http
        || old.program != new.program
}

fn wrong(error: StartError) -> Failure {
    match error {
        StartError::Output { .. } => Failure::Input(anyhow::Error::new(error)),
        StartError::System(_) => Failure::System(anyhow::Error::new(error)),
    }
}

/// The configuration's outputs, as the crate of outputs takes them.
fn settings(config: &Config, json: bool) -> Result<Settings, Failure> {
    let layout = Layout {
        json: json || config.json_output,
        include_output: config.json_include_output,
        include_message: config.json_include_message,
        include_output_fields: config.json_include_output_fields,
        include_tags: config.json_include_tags,
        iso_time: config.time_iso_8601,
        ..Layout::default()
    };
    let buffered = config.buffered_outputs;
    let server = config.syslog.address.parse::<syslog::Server>();
    let server =
        server.map_err(|e| Failure::Input(anyhow::anyhow!("configuration key peregrine.syslog.address: {e}")))?;
    let (file, http, program) = (&config.file, &config.http, &config.program);
    Ok(Settings {
        capacity: config.outputs_queue_capacity,
        timeout: config.output_timeout,
        max_bytes: config.outputs.max_memory_mb << 20,
        max_age: config.outputs.max_age,
        grace: config.outputs.grace,
        stdout: config.stdout.then(|| stdout::Settings { buffered, render: terminal(&layout) }),
        file: file.enabled.then(|| file::Settings {
            path: file.filename.clone(),
            keep_alive: file.keep_alive,
            buffered,
        }),
        syslog: config.syslog.enabled.then(|| syslog::Settings {
            server,
            ident: ident(),
            ..syslog::Settings::default()
        }),
        program: program
            .enabled
            .then(|| program::Settings { program: program.program.clone(), keep_alive: program.keep_alive }),
        http: http.enabled.then(|| http_settings(http)),
        layout,
        ..Settings::default()
    })
}

fn http_settings(config: &crate::config::HttpOutput) -> http::Settings {
    let given = |path: &Path| (!path.as_os_str().is_empty()).then(|| path.to_owned());
    http::Settings {
        url: config.url.clone(),
        user_agent: config.user_agent.clone(),
        trust: tls::Trust {
            insecure: config.insecure,
            ca_cert: given(&config.ca_cert),
            ca_bundle: given(&config.ca_bundle),
            ca_path: config.ca_path.clone(),
            client: config.mtls.then(|| (config.client_cert.clone(), config.client_key.clone())),
        },
        echo: if config.echo { http::Echo::Log } else { http::Echo::No },
        compress: config.compress,
        compressed_answers: config.compress_uploads,
        keep_alive: config.keep_alive,
        max_consecutive_timeouts: config.max_consecutive_timeouts,
        timeout: config.timeout,
        batch: config.batch,
    }
}

/// The name under which syslog hears of us: as `syslog(3)` has it, the one that the program was started under.
fn ident() -> String {
    let mut arguments = std::env::args_os();
    let started = arguments.next().unwrap_or_default();
    let name = Path::new(&started).file_name().unwrap_or_default().to_string_lossy().into_owned();
    if arguments.next().is_some_and(|first| first == "falco") { "falco".into() } else { name }
}

/// A layout for people where standard output is a terminal.
fn terminal(layout: &Layout) -> Option<stdout::Render> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    if layout.json {
        return Some(Arc::new(|message: &Message| json_line(message.line()).into_owned()));
    }
    // https://no-color.org
    let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let layout = layout.clone();
    Some(Arc::new(move |message: &Message| readable(message.alert(), &layout, colours)))
}

/// Time, severity and rule on one line, the message below it. No control character of it reaches the terminal.
fn readable(alert: &Alert, layout: &Layout, colours: bool) -> String {
    let clock = if layout.iso_time { time::iso8601(alert.time) } else { time::clock(alert.time, &layout.zone) };
    let (dim, colour, bold, end) = match colours {
        true => ("\x1b[2m", colour(alert.priority), "\x1b[1m", "\x1b[0m"),
        false => ("", "", "", ""),
    };
    let (rule, message) = (one_line(&alert.rule), one_line(&alert.message));
    format!("{dim}{clock}{end} {colour}{:<13}{end} {bold}{rule}{end}\n    {message}", alert.priority)
}

fn colour(priority: Priority) -> &'static str {
    match priority {
        Priority::Emergency | Priority::Alert | Priority::Critical => "\x1b[1;31m",
        Priority::Error => "\x1b[31m",
        Priority::Warning => "\x1b[33m",
        Priority::Notice => "\x1b[36m",
        Priority::Informational | Priority::Debug => "\x1b[2m",
    }
}

/// The name of this host in alerts: `FALCO_HOSTNAME`, else the kernel's.
pub fn hostname() -> String {
    match std::env::var_os("FALCO_HOSTNAME") {
        Some(name) => name.to_string_lossy().into_owned(),
        None => rustix::system::uname().nodename().to_string_lossy().into_owned(),
    }
}
