//! Lines into a file or pipe: what was written of them is known to the byte, also when writing fails half way.

use crate::message::Message;
use std::io::{ErrorKind, Write};

/// Lines to be written, and whether the last one before them was cut off.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    ends: Vec<usize>,
    torn: bool,
}

impl Lines {
    /// Writes the messages' lines, made by `line`, with as few calls as it takes; how many were written whole, and the
    /// error that met the next one. A line that was cut off is ended by a line break before the next one begins.
    pub(crate) fn write<'a>(
        &mut self,
        out: &mut impl Write,
        messages: &'a [Message],
        line: impl Fn(&'a Message) -> std::borrow::Cow<'a, str>,
    ) -> (usize, std::io::Result<()>) {
        self.buffer.clear();
        self.ends.clear();
        if self.torn {
            self.buffer.push(b'\n');
        }
        let start = self.buffer.len();
        for message in messages {
            self.buffer.extend_from_slice(line(message).as_bytes());
            self.buffer.push(b'\n');
            self.ends.push(self.buffer.len());
        }
        let (written, result) = write_some(out, &self.buffer);
        let whole = self.ends.iter().take_while(|end| **end <= written).count();
        let reached = if whole == 0 { start } else { self.ends[whole - 1] };
        self.torn = if written < start { self.torn } else { written > reached };
        self.buffer.shrink_to(1 << 20);
        (whole, result)
    }

    /// Begins with a new file.
    pub(crate) fn renew(&mut self) {
        self.torn = false;
    }
}

/// Writes until all is written or an error comes: how much was.
fn write_some(out: &mut impl Write, bytes: &[u8]) -> (usize, std::io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match out.write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return (written, Err(e)),
        }
    }
    (written, out.flush())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::testing::message;
    use std::borrow::Cow;

    /// Takes a number of bytes, then is full until it is given room.
    struct Small {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let n = bytes.len().min(self.room).min(3);
            if n == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= n;
            self.taken.extend_from_slice(&bytes[..n]);
            Ok(n)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn messages() -> Vec<Message> {
        ["one", "two", "three"].map(message).into()
    }

    #[test]
    fn a_cut_line_does_not_spoil_the_next() {
        let (mut lines, messages) = (Lines::default(), messages());
        let rule = |m| Cow::Borrowed(Message::alert(m).message.as_str());
        let mut out = Small { taken: Vec::new(), room: 6 };
        let (whole, error) = lines.write(&mut out, &messages, rule);
        assert_eq!((whole, error.unwrap_err().kind()), (1, ErrorKind::StorageFull));
        assert_eq!(lines.write(&mut out, &messages[1..], rule).0, 0, "still full: still cut off");
        out.room = 100;
        let (whole, result) = lines.write(&mut out, &messages[1..], rule);
        result.unwrap();
        assert_eq!(whole, 2);
        assert_eq!(String::from_utf8(out.taken).unwrap(), "one\ntw\ntwo\nthree\n");
    }

    #[test]
    fn what_was_written_whole_counts_even_if_the_rest_fails() {
        let (mut lines, messages) = (Lines::default(), messages());
        let rule = |m| Cow::Borrowed(Message::alert(m).message.as_str());
        let mut out = Small { taken: Vec::new(), room: 8 };
        assert_eq!(lines.write(&mut out, &messages, rule).0, 2);
        out.room = 100;
        assert_eq!(lines.write(&mut out, &messages[2..], rule).0, 1);
        assert_eq!(String::from_utf8(out.taken).unwrap(), "one\ntwo\nthree\n");
    }
}
