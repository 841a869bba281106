//! The JSON text of an old container event.

use peregrine_event::Event;
use std::fmt::Write;

/// `{"id":…,"type":…,"name":…,"image":…}` with its closing NUL, from the four parameters of the oldest container event;
/// `None` where a text has no value, as upstream.
pub fn container(event: &Event<'_>) -> Option<Vec<u8>> {
    let text = |index| event.text(index).map(String::from_utf8_lossy);
    let mut out = String::from("{\"id\":");
    quote(&mut out, &text(0)?);
    let _ = write!(out, ",\"type\":{},\"name\":", event.uint(1).unwrap_or(0) as u32);
    quote(&mut out, &text(2)?);
    out.push_str(",\"image\":");
    quote(&mut out, &text(3)?);
    out.push_str("}\0");
    Some(out.into_bytes())
}

/// Names come from whoever started the container, so they are escaped; upstream pastes them as they are.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
