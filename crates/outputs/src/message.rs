//! An alert on its way: shared by all outputs, its line made once, by whichever needs it first.

use peregrine_alert::json::Json;
use peregrine_alert::{Alert, Layout};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// An alert and its line. Cloning shares.
#[derive(Debug, Clone)]
pub struct Message(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    alert: Alert,
    layout: Arc<Layout>,
    line: OnceLock<String>,
    size: usize,
    raised: Instant,
}

impl Message {
    /// An alert that is raised now.
    pub fn new(alert: Alert, layout: Arc<Layout>) -> Self {
        let size = size(&alert);
        Self(Arc::new(Inner { alert, layout, line: OnceLock::new(), size, raised: Instant::now() }))
    }

    /// The alert.
    pub fn alert(&self) -> &Alert {
        &self.0.alert
    }

    /// The alert's line in the configured form, without its line break. The first call makes it.
    pub fn line(&self) -> &str {
        self.0.line.get_or_init(|| self.0.alert.line(&self.0.layout))
    }

    /// Whether the line is JSON.
    pub fn json(&self) -> bool {
        self.0.layout.json
    }

    /// Bytes of memory that the alert and its line take, roughly.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// Time since it was raised.
    pub fn age(&self) -> Duration {
        self.0.raised.elapsed()
    }
}

/// Once for the record, once for the line that will be made of it.
fn size(alert: &Alert) -> usize {
    let fields: usize = alert.output_fields.iter().map(|(key, value)| key.len() + json_size(value) + 64).sum();
    let tags: usize = alert.tags.iter().map(|tag| tag.len() + 24).sum();
    let texts = alert.rule.len() + alert.source.len() + alert.hostname.len() + alert.message.len();
    512 + 2 * (texts + fields + tags)
}

fn json_size(value: &Json) -> usize {
    match value {
        Json::Text(text) => text.len(),
        Json::Array(values) => values.iter().map(|value| json_size(value) + 32).sum(),
        Json::Null | Json::Bool(_) | Json::Int(_) | Json::Uint(_) | Json::Double(_) => 8,
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Messages for this crate's unit tests.

    use super::*;
    use peregrine_alert::Priority;

    /// An alert with this text and nothing else to tell.
    pub(crate) fn message(text: &str) -> Message {
        let alert = Alert {
            rule: "r".into(),
            priority: Priority::Notice,
            source: "syscall".into(),
            tags: Vec::new(),
            time: 0,
            hostname: "h".into(),
            message: text.into(),
            output_fields: Vec::new(),
            internal: false,
        };
        Message::new(alert, Arc::new(Layout::default()))
    }
}
