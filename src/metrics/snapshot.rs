//! Snapshots at an interval: as alerts of an internal rule, as lines of a file.

use super::{Published, Shared, render};
use peregrine_alert::json::write_object;
use peregrine_alert::{Alert, Json, Priority};
use peregrine_driver::Stats;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// What a snapshot compares itself with.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    pub(super) at: Instant,
    /// Seconds since then.
    pub seconds: f64,
    /// Events processed.
    pub events: u64,
    /// Events of the kernel programs.
    pub kernel: u64,
    /// Events lost.
    pub drops: u64,
}

impl Since {
    pub(super) fn new(at: &Published) -> Self {
        let total = at.kernel.as_ref().map(Stats::total).unwrap_or_default();
        Self { at: Instant::now(), seconds: 0.0, events: at.events, kernel: total.events(), drops: total.drops() }
    }

    /// How much something grew a second.
    pub fn rate(&self, now: u64, then: u64) -> f64 {
        if self.seconds > 0.0 { super::resource::tenths(now.saturating_sub(then) as f64 / self.seconds) } else { 0.0 }
    }
}

/// The thread that takes them; it ends when this is dropped.
pub struct Snapshots {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Snapshots {
    /// Starts the thread, where the configuration asks for snapshots.
    pub(super) fn start(shared: &Arc<Shared>) -> std::io::Result<Option<Self>> {
        let settings = &shared.settings;
        if !settings.enabled || !(settings.output_rule || settings.output_file.is_some()) {
            return Ok(None);
        }
        let file = settings.output_file.as_ref().map(|path| {
            let opened = OpenOptions::new().append(true).create(true).open(path);
            opened.map_err(|e| std::io::Error::new(e.kind(), format!("{}: {e}", path.display())))
        });
        let mut file = file.transpose()?;
        let (stop, stopped) = channel();
        let shared = Arc::clone(shared);
        let thread = std::thread::Builder::new().name("metrics".into()).spawn(move || {
            let (mut since, mut number) = (None, 0);
            while stopped.recv_timeout(shared.settings.interval) == Err(RecvTimeoutError::Timeout) {
                let then = since.map(|s: Since| Since { seconds: s.at.elapsed().as_secs_f64(), ..s });
                let Some((fields, next)) = render::fields(&shared, then) else { continue };
                since = Some(next);
                number += 1;
                if let Some(file) = &mut file
                    && let Err(error) = file.write_all(line(number, &fields).as_bytes())
                {
                    tracing::error!("metrics: snapshot {number} cannot be written: {error}");
                }
                if shared.settings.output_rule {
                    tell(&shared, fields);
                }
            }
        })?;
        Ok(Some(Self { stop: Some(stop), thread: Some(thread) }))
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn line(number: u64, fields: &[(String, Json)]) -> String {
    let mut fields: Vec<_> = fields.to_vec();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let mut line = String::from("{\"output_fields\":");
    write_object(&fields, &mut line);
    line + &format!(",\"sample\":{number}}}\n")
}

fn tell(shared: &Shared, fields: Vec<(String, Json)>) {
    let published = shared.published.load_full();
    let Some(outputs) = published.as_ref().and_then(|published| published.outputs.as_ref()) else { return };
    let (rule, text) = ("Falco internal: metrics snapshot", "Falco metrics snapshot");
    let priority = Priority::Informational;
    outputs.send(Alert::internal(rule, priority, text.into(), fields, crate::gaps::now(), &shared.hostname));
}
