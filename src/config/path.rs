//! The paths of overrides: `a.b[0].c`, `list[]`, and backslashes before what would else be read.

/// One step of a path: a map's key, a list's index, or its end (`[]`).
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A map's key.
    Key(String),
    /// A list's index; none appends.
    Index(Option<usize>),
}

/// Splits a path at dots and brackets, with the strictness and the messages of upstream's reader (`yaml_helper`).
///
/// # Errors
/// What is malformed, and at which character.
pub fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut reader = Reader { path, at: 0, steps: Vec::new() };
    reader.key()?;
    while let Some(c) = reader.peek() {
        match c {
            '[' => reader.index()?,
            '.' => {
                reader.at += 1;
                reader.key()?;
            }
            _ => return Err(format!("Parsing error: expected '.' character at pos {}", reader.at - 1)),
        }
    }
    Ok(reader.steps)
}

struct Reader<'p> {
    path: &'p str,
    at: usize,
    steps: Vec<Step>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.path[self.at..].chars().next()
    }

    /// A key up to a dot or a bracket; it is not empty.
    fn key(&mut self) -> Result<(), String> {
        let mut key = String::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '.' | '[')) {
            self.at += c.len_utf8();
            if c != '\\' {
                key.push(c);
                continue;
            }
            let pos = self.at - 1;
            match self.peek() {
                Some(next @ ('.' | '[' | ']' | '\\')) => key.push(next),
                Some(next) => return Err(format!("Parsing error: invalid escape sequence '\\{next}' at pos {pos}")),
                None => return Err(format!("Parsing error: trailing backslash at pos {pos}")),
            }
            self.at += 1;
        }
        if key.is_empty() {
            return Err(format!("Parsing error: unexpected character at pos {}", self.at));
        }
        self.steps.push(Step::Key(key));
        Ok(())
    }

    /// Digits in brackets, or nothing in brackets for the list's end.
    fn index(&mut self) -> Result<(), String> {
        let inner = &self.path[self.at + 1..];
        let digits = inner.split_once(']').map_or(inner, |(digits, _)| digits);
        let closed = inner.len() > digits.len();
        let number = if digits.is_empty() { Some(None) } else { digits.parse().ok().map(Some) };
        let Some(number) = number.filter(|_| closed) else {
            return Err(format!("Parsing error: expected a numeric index, found '{digits}'"));
        };
        self.steps.push(Step::Index(number));
        self.at += digits.len() + 2;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Step {
        Step::Key(text.into())
    }

    #[test]
    fn paths_are_read() {
        assert_eq!(
            steps("a.b[0][12].c").unwrap(),
            [key("a"), key("b"), Step::Index(Some(0)), Step::Index(Some(12)), key("c")]
        );
        assert_eq!(steps("a[]").unwrap(), [key("a"), Step::Index(None)]);
        assert_eq!(steps(r"annotations.kubernetes\.io/role").unwrap(), [key("annotations"), key("kubernetes.io/role")]);
        assert_eq!(steps(r"a.example\[0\].x\\y").unwrap(), [key("a"), key("example[0]"), key(r"x\y")]);
        assert_eq!(steps("a.example\\[0]").unwrap(), [key("a"), key("example[0]")]);
        assert_eq!(steps("\u{e9}.\u{1F600}").unwrap(), [key("\u{e9}"), key("\u{1F600}")]);
    }

    #[test]
    fn what_is_malformed_is_said() {
        for (path, part) in [
            ("", "unexpected character at pos 0"),
            (".a", "unexpected character at pos 0"),
            ("a..b", "unexpected character at pos 2"),
            ("[0]", "unexpected character at pos 0"),
            ("a.", "unexpected character at pos 2"),
            ("a[0]b", "expected '.' character at pos 3"),
            ("a[x]", "expected a numeric index, found 'x'"),
            ("a[-1]", "expected a numeric index, found '-1'"),
            ("a[0", "expected a numeric index, found '0'"),
            ("a\\", "trailing backslash at pos 1"),
            ("a\\x", "invalid escape sequence '\\x' at pos 1"),
        ] {
            let error = steps(path).expect_err(path);
            assert!(error.contains(part), "{path}: {error}");
        }
    }
}
