//! The alert record and its two lines.

use crate::json::{Json, write_escaped, write_object, write_text};
use crate::{Priority, time};
use jiff::tz::TimeZone;

/// Something that a rule, or Peregrine itself, has to report.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Name of the rule.
    pub rule: String,
    /// Its severity.
    pub priority: Priority,
    /// Event source: `syscall`, a plugin's, or `internal`.
    pub source: String,
    /// The rule's tags, sorted and distinct.
    pub tags: Vec<String>,
    /// Time of the event, nanoseconds since the epoch.
    pub time: u64,
    /// Name of the host that saw it.
    pub hostname: String,
    /// The rule's output with its fields filled in.
    pub message: String,
    /// The output's fields, in the order in which the output names them. A key given twice keeps its last value.
    pub output_fields: Vec<(String, Json)>,
    /// Raised by Peregrine about itself, not by a rule about an event.
    pub internal: bool,
}

/// What an alert's line holds; the names are those of the configuration.
#[derive(Debug, Clone)]
pub struct Layout {
    /// `json_output`.
    pub json: bool,
    /// `json_include_output_property`.
    pub include_output: bool,
    /// `json_include_message_property`.
    pub include_message: bool,
    /// `json_include_output_fields_property`.
    pub include_output_fields: bool,
    /// `json_include_tags_property`.
    pub include_tags: bool,
    /// `time_format_iso_8601`.
    pub iso_time: bool,
    /// Where clocks are read.
    pub zone: TimeZone,
}

impl Default for Layout {
    /// Falco's defaults, and the system's zone (`TZ` is honoured).
    fn default() -> Self {
        Self {
            json: false,
            include_output: true,
            include_message: false,
            include_output_fields: true,
            include_tags: true,
            iso_time: false,
            zone: TimeZone::system(),
        }
    }
}

impl Alert {
    /// An alert about the program itself, at `time` in nanoseconds since the epoch.
    pub fn internal(
        rule: &str,
        priority: Priority,
        message: String,
        output_fields: Vec<(String, Json)>,
        time: u64,
        hostname: &str,
    ) -> Self {
        Self {
            rule: rule.to_owned(),
            priority,
            source: "internal".into(),
            tags: Vec::new(),
            time,
            hostname: hostname.to_owned(),
            message,
            output_fields,
            internal: true,
        }
    }

    /// The alert's line without its line break, in the layout's form.
    pub fn line(&self, layout: &Layout) -> String {
        match (layout.json, self.internal) {
            (true, _) => self.json_line(layout),
            (false, false) => self.text_line(layout),
            (false, true) => self.internal_text_line(layout),
        }
    }

    /// `<time>: <Priority> <message>`, not yet escaped: the JSON key `output`.
    pub fn output(&self, layout: &Layout) -> String {
        if self.internal {
            return self.message.clone();
        }
        let clock = if layout.iso_time { time::iso8601(self.time) } else { time::clock(self.time, &layout.zone) };
        format!("{clock}: {} {}", self.priority, self.message)
    }

    /// The text line: the whole of it escaped as JSON text, so that no control character reaches a terminal.
    fn text_line(&self, layout: &Layout) -> String {
        let mut line = String::new();
        write_escaped(&self.output(layout), &mut line);
        line
    }

    /// `<clock>: <Priority> <message> (key=value …)`, the values as JSON; keys sorted. Clock and message are ours.
    fn internal_text_line(&self, layout: &Layout) -> String {
        let mut line = format!("{}: {} {} (", time::clock(self.time, &layout.zone), self.priority, self.message);
        for (i, (key, value)) in self.sorted_fields().iter().enumerate() {
            if i > 0 {
                line.push(' ');
            }
            line.push_str(key);
            line.push('=');
            value.write(&mut line);
        }
        line.push(')');
        line
    }

    /// One object with sorted keys. Internal alerts have no tags, and their output and fields cannot be left out.
    fn json_line(&self, layout: &Layout) -> String {
        let mut line = String::with_capacity(512);
        let mut first = true;
        let mut key = |line: &mut String, name: &str| {
            line.push(if first { '{' } else { ',' });
            first = false;
            write_text(name, line);
            line.push(':');
        };
        key(&mut line, "hostname");
        write_text(&self.hostname, &mut line);
        if layout.include_message && !self.internal {
            key(&mut line, "message");
            write_text(&self.message, &mut line);
        }
        if layout.include_output || self.internal {
            key(&mut line, "output");
            write_text(&self.output(layout), &mut line);
        }
        if layout.include_output_fields || self.internal {
            key(&mut line, "output_fields");
            write_object(&self.json_fields(layout), &mut line);
        }
        for (name, value) in [("priority", self.priority.name()), ("rule", &self.rule), ("source", &self.source)] {
            key(&mut line, name);
            write_text(value, &mut line);
        }
        if layout.include_tags && !self.internal {
            key(&mut line, "tags");
            Json::Array(self.tags.iter().map(|tag| Json::Text(tag.clone())).collect()).write(&mut line);
        }
        key(&mut line, "time");
        write_text(&time::utc(self.time), &mut line);
        line.push('}');
        line
    }

    /// The fields with the line's own time, which JSON alerts give in nanoseconds.
    fn json_fields(&self, layout: &Layout) -> Vec<(&str, Json)> {
        let mut fields = self.sorted_fields();
        if !self.internal {
            let key = if layout.iso_time { "evt.time.iso8601" } else { "evt.time" };
            match fields.binary_search_by(|(k, _)| k.cmp(&key)) {
                Ok(at) => fields[at].1 = Json::Uint(self.time),
                Err(at) => fields.insert(at, (key, Json::Uint(self.time))),
            }
        }
        fields
    }

    fn sorted_fields(&self) -> Vec<(&str, Json)> {
        let mut fields: Vec<(&str, Json)> = Vec::with_capacity(self.output_fields.len() + 1);
        for (key, value) in &self.output_fields {
            match fields.binary_search_by(|(k, _)| (*k).cmp(key)) {
                Ok(at) => fields[at].1 = value.clone(),
                Err(at) => fields.insert(at, (key, value.clone())),
            }
        }
        fields
    }
}

/// How many events were lost in the last second, by cause, as the kernel side counts them.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DropCounts {
    /// All events, the lost ones included.
    pub n_evts: u64,
    /// All lost ones.
    pub n_drops: u64,
    /// Lost because a ring was full; the next seven say for which calls.
    pub n_drops_buffer_total: u64,
    pub n_drops_buffer_clone_fork_exit: u64,
    pub n_drops_buffer_execve_exit: u64,
    pub n_drops_buffer_connect_exit: u64,
    pub n_drops_buffer_open_exit: u64,
    pub n_drops_buffer_dir_file_exit: u64,
    pub n_drops_buffer_other_interest_exit: u64,
    pub n_drops_buffer_close_exit: u64,
    pub n_drops_buffer_proc_exit: u64,
    /// Lost because an event outgrew its scratch memory.
    pub n_drops_scratch_map: u64,
    /// Lost to page faults.
    pub n_drops_page_faults: u64,
    /// Lost to faults of the kernel programs.
    pub n_drops_bug: u64,
}

impl DropCounts {
    /// The alert "Falco internal: syscall event drop"; `time` in nanoseconds since the epoch.
    pub fn alert(&self, time: u64, hostname: &str) -> Alert {
        let rule = "Falco internal: syscall event drop";
        let counts = [
            ("n_evts", self.n_evts),
            ("n_drops", self.n_drops),
            ("n_drops_buffer_total", self.n_drops_buffer_total),
            ("n_drops_buffer_clone_fork_exit", self.n_drops_buffer_clone_fork_exit),
            ("n_drops_buffer_execve_exit", self.n_drops_buffer_execve_exit),
            ("n_drops_buffer_connect_exit", self.n_drops_buffer_connect_exit),
            ("n_drops_buffer_open_exit", self.n_drops_buffer_open_exit),
            ("n_drops_buffer_dir_file_exit", self.n_drops_buffer_dir_file_exit),
            ("n_drops_buffer_other_interest_exit", self.n_drops_buffer_other_interest_exit),
            ("n_drops_buffer_close_exit", self.n_drops_buffer_close_exit),
            ("n_drops_buffer_proc_exit", self.n_drops_buffer_proc_exit),
            ("n_drops_scratch_map", self.n_drops_scratch_map),
            ("n_drops_page_faults", self.n_drops_page_faults),
            ("n_drops_bug", self.n_drops_bug),
            ("ebpf_enabled", 1),
        ];
        let message = format!("{rule}. {} system calls dropped in last second.", self.n_drops);
        let fields = counts.map(|(key, n)| (key.into(), Json::Text(n.to_string()))).to_vec();
        Alert::internal(rule, Priority::Debug, message, fields, time, hostname)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Alert {
        Alert {
            rule: "Read \"it\"".into(),
            priority: Priority::Warning,
            source: "syscall".into(),
            tags: vec!["a".into(), "b".into()],
            time: 1_795_522_412_701_071_879,
            hostname: "demo-host".into(),
            message: "file=/tmp/\u{1b}[2J \"x\" pid=7".into(),
            output_fields: vec![
                ("proc.pid".into(), Json::Int(7)),
                ("fd.name".into(), Json::Text("/tmp/\u{1b}[2J".into())),
                ("proc.pid".into(), Json::Int(8)),
            ],
            internal: false,
        }
    }

    fn layout() -> Layout {
        Layout { zone: TimeZone::UTC, ..Layout::default() }
    }

    #[test]
    fn text_is_escaped_as_a_whole() {
        assert_eq!(alert().line(&layout()), "12:13:32.701071879: Warning file=/tmp/\\u001b[2J \\\"x\\\" pid=7");
        let iso = Layout { iso_time: true, ..layout() };
        assert!(alert().line(&iso).starts_with("2026-11-24T12:13:32.701071879+0000: Warning file="));
    }

    #[test]
    fn json_keys_are_sorted_and_optional() {
        let json = Layout { json: true, ..layout() };
        assert_eq!(
            alert().line(&json),
            "{\"hostname\":\"demo-host\",\"output\":\"12:13:32.701071879: Warning file=/tmp/\\u001b[2J \\\"x\\\" pid=7\",\
             \"output_fields\":{\"evt.time\":1795522412701071879,\"fd.name\":\"/tmp/\\u001b[2J\",\"proc.pid\":8},\
             \"priority\":\"Warning\",\"rule\":\"Read \\\"it\\\"\",\"source\":\"syscall\",\"tags\":[\"a\",\"b\"],\
             \"time\":\"2026-11-24T12:13:32.701071879Z\"}"
        );
        let bare = Layout {
            include_output: false,
            include_message: true,
            include_output_fields: false,
            include_tags: false,
            ..json
        };
        assert_eq!(
            alert().line(&bare),
            "{\"hostname\":\"demo-host\",\"message\":\"file=/tmp/\\u001b[2J \\\"x\\\" pid=7\",\"priority\":\"Warning\",\
             \"rule\":\"Read \\\"it\\\"\",\"source\":\"syscall\",\"time\":\"2026-11-24T12:13:32.701071879Z\"}"
        );
    }

    #[test]
    fn drops_make_an_internal_alert() {
        let counts = DropCounts { n_evts: 10, n_drops: 3, ..DropCounts::default() };
        let alert = counts.alert(1, "h");
        let text = alert.line(&layout());
        assert!(text.starts_with(
            "00:00:00.000000001: Debug Falco internal: syscall event drop. 3 system calls dropped in last second. \
             (ebpf_enabled=\"1\" n_drops=\"3\" n_drops_buffer_clone_fork_exit=\"0\""
        ));
        let json = alert.line(&Layout { json: true, include_output: false, ..layout() });
        assert!(json.starts_with("{\"hostname\":\"h\",\"output\":\"Falco internal: syscall event drop. 3 system"));
        assert!(json.contains("\"source\":\"internal\",\"time\":\"1970-01-01T00:00:00.000000001Z\""));
        assert!(!json.contains("tags") && !json.contains("evt.time"));
    }
}
