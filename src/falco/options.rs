//! Falco's command line: one row an option, and its way of reading arguments and of laying out the help.
//!
//! Arguments are read as Falco's reader (cxxopts) reads them: short options may be joined, a value may follow at once, an
//! option with a default argument takes another only after `=`, and what is no option is passed over.

use crate::listing::Format;
use std::path::PathBuf;

/// One option.
pub struct Opt {
    /// Its letter.
    pub short: Option<char>,
    /// Its name.
    pub long: &'static str,
    /// What its argument is called; none for a switch.
    pub argument: Option<&'static str>,
    /// Whether it may stand without the argument.
    pub optional: bool,
    /// What its help says of the default.
    pub default: Option<&'static str>,
    /// What it does.
    pub doc: &'static str,
    /// What is otherwise than in Falco, if anything.
    pub differs: &'static str,
    set: fn(&mut Options, &str) -> Result<(), String>,
}

/// What the command line says.
#[derive(Debug, Default)]
#[allow(missing_docs)] // Each is the option of the same name.
pub struct Options {
    pub help: bool,
    pub config: Option<PathBuf>,
    pub config_schema: bool,
    pub rule_schema: bool,
    pub disable_sources: Vec<String>,
    pub enable_sources: Vec<String>,
    pub dry_run: bool,
    pub ignored: bool,
    pub describe_all: bool,
    pub describe: Option<String>,
    pub list: Option<String>,
    pub list_events: bool,
    pub list_plugins: bool,
    pub duration: u32,
    pub markdown: bool,
    pub format: Option<String>,
    pub names_only: bool,
    pub overrides: Vec<String>,
    pub plugin_info: Option<String>,
    pub print: Option<String>,
    pub pidfile: Option<PathBuf>,
    pub rules: Vec<PathBuf>,
    pub support: bool,
    pub unbuffered: bool,
    pub validate: Vec<PathBuf>,
    pub verbose: bool,
    pub version: bool,
    pub page_size: bool,
}

const fn switch(
    short: Option<char>,
    long: &'static str,
    doc: &'static str,
    set: fn(&mut Options, &str) -> Result<(), String>,
) -> Opt {
    Opt { short, long, argument: None, optional: false, default: None, doc, differs: "", set }
}

const fn value(
    short: Option<char>,
    long: &'static str,
    argument: &'static str,
    doc: &'static str,
    set: fn(&mut Options, &str) -> Result<(), String>,
) -> Opt {
    Opt { short, long, argument: Some(argument), optional: false, default: None, doc, differs: "", set }
}

impl Opt {
    const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    const fn differs(mut self, how: &'static str) -> Self {
        self.differs = how;
        self
    }

    /// As messages name it.
    pub fn name(&self) -> String {
        match self.short {
            Some(short) if self.long.is_empty() => short.to_string(),
            _ => self.long.to_owned(),
        }
    }
}

fn on(place: &mut bool, text: &str) -> Result<(), String> {
    *place = match text {
        "true" | "t" | "1" => true,
        "false" | "f" | "0" => false,
        _ => return Err(format!("Argument \u{2018}{text}\u{2019} failed to parse")),
    };
    Ok(())
}

fn some<T>(place: &mut Option<T>, value: T) -> Result<(), String> {
    *place = Some(value);
    Ok(())
}

fn more<T>(place: &mut Vec<T>, value: T) -> Result<(), String> {
    place.push(value);
    Ok(())
}

const NO_PLUGINS: &str = "Of plugins only the built-in container fields are there.";

/// All options, in the order of the help.
pub const OPTIONS: &[Opt] = &[
    switch(Some('h'), "help", "Print this list and end.", |o, v| on(&mut o.help, v)),
    value(Some('c'), "", "<path>", "The configuration file; without it /etc/falco/falco.yaml.", |o, v| {
        some(&mut o.config, v.into())
    }),
    switch(None, "config-schema", "Print the JSON schema of configuration files and end.", |o, v| {
        on(&mut o.config_schema, v)
    })
    .differs("The schema is written from our own table of keys, `peregrine` included."),
    switch(None, "rule-schema", "Print the JSON schema of rules files and end.", |o, v| on(&mut o.rule_schema, v)),
    value(
        None,
        "disable-source",
        "<event_source>",
        "Switch an event source off. May be repeated, but not together with --enable-source, and one source must remain. Without effect on captures.",
        |o, v| more(&mut o.disable_sources, v.into()),
    )
    .differs("`syscall` is the only source."),
    switch(None, "dry-run", "Set everything up, but process no events: a trial of configuration and rules.", |o, v| {
        on(&mut o.dry_run, v)
    }),
    value(
        None,
        "enable-source",
        "<event_source>",
        "Switch all event sources off but this one. May be repeated, but not together with --disable-source. Without effect on captures.",
        |o, v| more(&mut o.enable_sources, v.into()),
    )
    .differs("`syscall` is the only source."),
    switch(Some('i'), "", "Print the events that are not looked at by default, and end.", |o, v| {
        on(&mut o.ignored, v)
    }),
    switch(
        Some('L'),
        "",
        "Print names and descriptions of all rules and end; with json_output everything about rules, macros and lists.",
        |o, v| on(&mut o.describe_all, v),
    )
    .differs("Lists in the JSON are sorted; Falco's order is accidental."),
    value(
        Some('l'),
        "",
        "<rule>",
        "Print name and description of one rule and end; with json_output everything about it.",
        |o, v| some(&mut o.describe, v.into()),
    ),
    value(None, "list", "<source>", "Print all fields and end, or those of a source.", |o, v| {
        some(&mut o.list, v.into())
    })
    .optional(),
    switch(None, "list-events", "Print all events and end.", |o, v| on(&mut o.list_events, v)),
    switch(None, "list-plugins", "Print what is known of all loaded plugins and end.", |o, v| {
        on(&mut o.list_plugins, v)
    })
    .differs(NO_PLUGINS),
    value(Some('M'), "", "<num_seconds>", "Stop after so many seconds.", |o, v| {
        o.duration = v.parse().map_err(|_| format!("Argument \u{2018}{v}\u{2019} failed to parse"))?;
        Ok(())
    })
    .default("0")
    .differs("After a capture is read the rest of the time is not waited for."),
    switch(None, "markdown", "Old spelling of --format markdown.", |o, v| on(&mut o.markdown, v)),
    value(
        None,
        "format",
        "<format>",
        "Layout of --list and --list-events: text, markdown or json. Not together with --markdown.",
        |o, v| some(&mut o.format, v.into()),
    ),
    switch(Some('N'), "", "With --list, print names only.", |o, v| on(&mut o.names_only, v)),
    value(
        Some('o'),
        "option",
        "<opt>=<val>",
        "Set a key of the configuration, whatever the file says. Keys are joined by dots, an element of a list stands in brackets, [] appends one; a backslash takes a dot, bracket or backslash as it is.\n    E.g. base.id=val\n         base.subvalue.subvalue2=val\n         base.list[1]=val\n         base.dotted\\.key=val\n         base.back\\\\slash=val",
        |o, v| more(&mut o.overrides, v.into()),
    ),
    value(
        None,
        "plugin-info",
        "<plugin_name>",
        "Print what is known of a plugin, by its name or library_path, and end.",
        |o, v| some(&mut o.plugin_info, v.into()),
    )
    .differs(NO_PLUGINS),
    value(
        Some('p'),
        "print",
        "<output_format>",
        "Old spelling of -o append_output...: append this to the output of all rules. c, container, k and kubernetes append nothing any more: rules' outputs have those fields by themselves.",
        |o, v| some(&mut o.print, v.into()),
    ),
    value(Some('P'), "pidfile", "<pid_file>", "Write the process id to this file.", |o, v| {
        o.pidfile = Some(PathBuf::from(v)).filter(|_| !v.is_empty());
        Ok(())
    })
    .default(""),
    value(
        Some('r'),
        "",
        "<rules_file>",
        "Rules file or directory, in place of the configuration's. May be repeated. Only names that end in .yaml or .yml count.",
        |o, v| more(&mut o.rules, v.into()),
    ),
    switch(None, "support", "Print what a report of a fault should hold, as JSON, and end.", |o, v| {
        on(&mut o.support, v)
    }),
    switch(
        Some('U'),
        "unbuffered",
        "Write every line at once, whatever buffered_outputs says: for pipes.",
        |o, v| on(&mut o.unbuffered, v),
    ),
    value(Some('V'), "validate", "<rules_file>", "Check this rules file and end. May be repeated.", |o, v| {
        more(&mut o.validate, v.into())
    }),
    switch(Some('v'), "", "Say more.", |o, v| on(&mut o.verbose, v)),
    switch(None, "version", "Print versions and end.", |o, v| on(&mut o.version, v))
        .differs("falco_version is the Falco release that is followed, with our own version behind a plus sign."),
    switch(None, "page-size", "Print the size of a memory page and end.", |o, v| on(&mut o.page_size, v)),
];

/// An option of older Falcos.
pub struct Removed {
    /// Its name or letter.
    pub name: &'static str,
    /// Whether it took an argument.
    value: bool,
    /// What stands in its place.
    pub advice: &'static str,
}

const fn gone(name: &'static str, value: bool, advice: &'static str) -> Removed {
    Removed { name, value, advice }
}

/// All options of older Falcos.
pub const REMOVED: &[Removed] = &[
    gone("A", false, "use -o base_syscalls.all=true"),
    gone("b", false, "use -o buffer_format_base64=true"),
    gone("D", true, "use -o rules[].disable.rule=<substring with *>"),
    gone("e", true, "use -o engine.kind=replay -o engine.replay.capture_file=<path>"),
    gone("S", true, "use -o falco_libs.snaplen=<len>"),
    gone("snaplen", true, "use -o falco_libs.snaplen=<len>"),
    gone("t", true, "use -o rules[].disable.rule=* -o rules[].enable.tag=<tag>"),
    gone("T", true, "use -o rules[].disable.tag=<tag>"),
    gone("g", true, "gVisor is no source of events any more"),
    gone("gvisor-config", true, "gVisor is no source of events any more"),
    gone("gvisor-root", true, "gVisor is no source of events any more"),
    gone("gvisor-generate-config", false, "gVisor is no source of events any more"),
    gone("modern-bpf", false, "use -o engine.kind=modern_ebpf"),
    gone("nodriver", false, "use -o engine.kind=nodriver"),
    gone("cri", true, "containers are found by their cgroups"),
    gone("disable-cri-async", false, "containers are found by their cgroups"),
    gone("k8s-api", true, "Kubernetes metadata is not fetched from the API server"),
    gone("K", true, "Kubernetes metadata is not fetched from the API server"),
    gone("userspace", false, "use a plugin, or -o engine.kind=nodriver"),
];

/// Of an argument that is an option of older Falcos: whether it took a value, and what stands in its place.
pub fn removed(argument: &str) -> Option<(bool, &'static str)> {
    let name = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-').filter(|name| name.len() == 1))?;
    REMOVED.iter().find(|old| old.name == name).map(|old| (old.value, old.advice))
}

fn unknown(name: &str) -> String {
    let advice = REMOVED.iter().find(|old| old.name == name).map(|old| format!(" ({})", old.advice));
    format!("Option \u{2018}{name}\u{2019} does not exist{}", advice.unwrap_or_default())
}

/// Reads arguments, without the program's name.
///
/// # Errors
/// What is wrong, in Falco's words.
pub fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            let (name, given) = match long.split_once('=') {
                Some((name, given)) => (name, Some(given)),
                None => (long, None),
            };
            let option = OPTIONS.iter().find(|o| o.long == name && !name.is_empty()).ok_or_else(|| unknown(name))?;
            let next = || rest.next().map(String::as_str);
            set(&mut options, option, given, next)?;
        } else if let Some(letters) = argument.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                let option = OPTIONS.iter().find(|o| o.short == Some(letter));
                let option = option.ok_or_else(|| unknown(&letter.to_string()))?;
                let joined = letters.as_str();
                if option.argument.is_some() && !joined.is_empty() {
                    set(&mut options, option, Some(joined), || None)?;
                    break;
                }
                set(&mut options, option, None, || rest.next().map(String::as_str))?;
            }
        }
    }
    if options.markdown && options.format.is_some() {
        return Err("Cannot specify both --markdown and --format options together".into());
    }
    options.layout()?;
    Ok(options)
}

fn set<'a>(
    options: &mut Options,
    option: &Opt,
    given: Option<&'a str>,
    next: impl FnOnce() -> Option<&'a str>,
) -> Result<(), String> {
    let text = match (given, option.argument) {
        (Some(given), _) => given,
        (None, None) => "true",
        (None, Some(_)) if option.optional => "",
        (None, Some(_)) => {
            next().ok_or_else(|| format!("Option \u{2018}{}\u{2019} is missing an argument", option.name()))?
        }
    };
    (option.set)(options, text)
}

impl Options {
    /// The layout of lists.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn layout(&self) -> Result<Format, String> {
        let name = self.format.as_deref().unwrap_or(if self.markdown { "markdown" } else { "" });
        match name.to_ascii_lowercase().as_str() {
            "" | "text" => Ok(Format::Text),
            "markdown" => Ok(Format::Markdown),
            "json" => Ok(Format::Json),
            _ => Err(format!("Invalid format '{name}'. Valid values are: text, markdown, json")),
        }
    }
}

/// Columns of the help.
const WIDTH: usize = 140;
/// Widest column of options; what is wider has its text below it.
const LONGEST: usize = 30;

/// The help.
pub fn help() -> String {
    let heads: Vec<String> = OPTIONS.iter().map(head).collect();
    let longest = heads.iter().map(|head| head.chars().count()).max().unwrap_or(0).min(LONGEST);
    let indent = longest + 2;
    let mut out = String::from("Falco - Cloud Native Runtime Security, by Peregrine\nUsage:\n  falco [OPTION...]\n\n");
    for (option, head) in OPTIONS.iter().zip(heads) {
        out += &head;
        if head.chars().count() > longest {
            out.push('\n');
            out += &" ".repeat(indent);
        } else {
            out += &" ".repeat(indent - head.chars().count());
        }
        let default = match option.default {
            Some("") => " (default: \"\")".to_owned(),
            Some(default) => format!(" (default: {default})"),
            None => String::new(),
        };
        out += &wrap(&format!("{}{default}", option.doc), indent, WIDTH - indent);
        out.push('\n');
    }
    out
}

fn head(option: &Opt) -> String {
    let mut head = match (option.short, option.long) {
        (Some(short), "") => format!("  -{short}"),
        (Some(short), long) => format!("  -{short}, --{long}"),
        (None, long) => format!("      --{long}"),
    };
    if let Some(argument) = option.argument {
        head += &if option.optional { format!(" [={argument}(=)]") } else { format!(" {argument}") };
    }
    head
}

/// Breaks lines between words; line breaks of the text stay.
fn wrap(text: &str, indent: usize, width: usize) -> String {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_inclusive(' ') {
            if line.chars().count() + word.trim_end().chars().count() > width && !line.is_empty() {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            line += word;
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options, String> {
        parse(&arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_stand_in_every_way() {
        let options =
            read(&["-c", "a.yaml", "-rx.yaml", "-r", "y.yaml", "-UvM3", "-o", "a=b,c", "--option=d=e", "-pk"]);
        let options = options.unwrap();
        assert_eq!(options.config.as_deref(), Some(std::path::Path::new("a.yaml")));
        assert_eq!(options.rules, [PathBuf::from("x.yaml"), "y.yaml".into()]);
        assert!(options.unbuffered && options.verbose && !options.dry_run);
        assert_eq!((options.duration, options.print.as_deref()), (3, Some("k")));
        assert_eq!(options.overrides, ["a=b,c", "d=e"]);
        let options = read(&["--list", "syscall", "--dry-run=false", "--", "-h"]).unwrap();
        assert_eq!(options.list.as_deref(), Some(""));
        assert!(!options.dry_run && !options.help);
        assert_eq!(read(&["--list=syscall"]).unwrap().list.as_deref(), Some("syscall"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (arguments, part) in [
            (&["--nonsense"][..], "Option \u{2018}nonsense\u{2019} does not exist"),
            (&["-t", "x"], "rules[].enable.tag=<tag>"),
            (&["-c"], "Option \u{2018}c\u{2019} is missing an argument"),
            (&["--validate"], "Option \u{2018}validate\u{2019} is missing an argument"),
            (&["-M", "soon"], "failed to parse"),
            (&["--format", "xml"], "Invalid format 'xml'. Valid values are: text, markdown, json"),
            (&["--format=json", "--markdown"], "Cannot specify both --markdown and --format options together"),
        ] {
            let error = read(arguments).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn the_help_has_falcos_layout() {
        let help = help();
        assert!(help.contains("Usage:\n  falco [OPTION...]\n\n  -h, --help                    Print"), "{help}");
        assert!(help.contains("\n  -P, --pidfile <pid_file>      Write"), "{help}");
        assert!(help.contains("(default: \"\")\n") && help.contains("      --list [=<source>(=)]  "), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= WIDTH), "{help}");
        for option in OPTIONS {
            assert!(option.short.is_some() || !option.long.is_empty());
        }
    }
}
