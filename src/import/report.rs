//! What an examined configuration comes to, for people and for programs.

use crate::config::Place;
use serde_json::{Value, json};

/// How it stands with a setting or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It does not work: something that Falco did is not done.
    Broken,
    /// It has no effect.
    Ignored,
    /// It works, and there is a better way.
    Better,
    /// It works as it is.
    Works,
}

impl Verdict {
    const ALL: [Self; 4] = [Self::Broken, Self::Ignored, Self::Better, Self::Works];

    fn key(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Ignored => "ignored",
            Self::Better => "better",
            Self::Works => "works",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Broken => "Does not work",
            Self::Ignored => "Is ignored",
            Self::Better => "Works, and there is a better way",
            Self::Works => "Works as it is",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// The key, file, plugin or option.
    pub subject: String,
    /// Where it stands.
    pub place: Place,
    /// What is to be said of it; may be empty where it works.
    pub message: String,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Report {
    /// The directory.
    pub directory: String,
    /// In the order in which it was found.
    pub findings: Vec<Finding>,
    /// Rules that were loaded, and those that are left out.
    pub rules: (usize, usize),
}

impl Report {
    /// Adds a finding; what is said of a subject beyond that it works stands in the place of that.
    pub fn add(&mut self, verdict: Verdict, subject: impl Into<String>, place: &Place, message: impl Into<String>) {
        let subject = subject.into();
        if verdict != Verdict::Works {
            self.findings.retain(|old| old.verdict != Verdict::Works || old.subject != subject);
        }
        let finding = Finding { verdict, subject, place: place.clone(), message: message.into() };
        self.findings.push(finding);
    }

    /// Whether something does not work.
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Broken)
    }

    fn of(&self, verdict: Verdict) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.verdict == verdict).collect()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!("Falco's configuration in {}\n", self.directory);
        for verdict in Verdict::ALL {
            let findings = self.of(verdict);
            if findings.is_empty() {
                continue;
            }
            out += &format!("\n{} ({}):\n", verdict.title(), findings.len());
            if verdict == Verdict::Works {
                out += &names(&findings);
                continue;
            }
            for finding in findings {
                let place =
                    if finding.place.source.is_empty() { String::new() } else { format!(" ({})", finding.place) };
                out += &format!("  {}{place}\n      {}\n", finding.subject, finding.message.replace('\n', "\n      "));
            }
        }
        let (loaded, left_out) = self.rules;
        out += &format!("\nRules: {loaded} load, {left_out} are left out.\n");
        out
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let (loaded, left_out) = self.rules;
        let mut out = json!({"directory": self.directory, "rules": {"loaded": loaded, "left_out": left_out}});
        for verdict in Verdict::ALL {
            let one = |finding: &&Finding| {
                json!({
                    "subject": finding.subject,
                    "message": finding.message,
                    "source": &*finding.place.source,
                    "line": finding.place.line,
                    "column": finding.place.column,
                })
            };
            out[verdict.key()] = self.of(verdict).iter().map(one).collect();
        }
        out
    }
}

/// Subjects beside each other, in lines of a terminal's width.
fn names(findings: &[&Finding]) -> String {
    let (mut out, mut line) = (String::new(), String::from(" "));
    for finding in findings {
        if line.len() + finding.subject.len() > 98 {
            out += &format!("{line}\n");
            line = " ".into();
        }
        line += &format!(" {}", finding.subject);
    }
    out + &line + "\n"
}
