//! How Falco is started: its units' command lines and environment, and the packages' environment files.

use std::path::{Path, PathBuf};

/// An argument or a variable, and the file that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<T> {
    /// The file.
    pub file: PathBuf,
    /// What it says.
    pub what: T,
}

/// What units and environment files say.
#[derive(Debug, Default)]
pub struct Service {
    /// Command lines, without the program; of each unit the last that holds.
    pub commands: Vec<Said<Vec<String>>>,
    /// Variables, by name and value.
    pub variables: Vec<Said<(String, String)>>,
}

const UNITS: &[&str] = &["falco.service", "falco-modern-bpf.service", "falco-kmod.service", "falco-custom.service"];
/// Where units are, the weightiest last.
const UNIT_DIRECTORIES: &[&str] = &["lib/systemd/system", "usr/lib/systemd/system", "etc/systemd/system"];
const ENVIRONMENT_FILES: &[&str] = &["etc/default/falco", "etc/sysconfig/falco"];

/// Reads what belongs to a configuration directory `ROOT/etc/falco`; of another directory nothing.
pub fn read(directory: &Path) -> Service {
    let mut service = Service::default();
    let Some(root) = directory.to_str().and_then(|text| text.trim_end_matches('/').strip_suffix("etc/falco")) else {
        return service;
    };
    let root = if root.is_empty() { Path::new(".") } else { Path::new(root) };
    for unit in UNITS {
        let mut last = None;
        for place in UNIT_DIRECTORIES {
            let drop_ins = files(&root.join(place).join(format!("{unit}.d")), "conf");
            for file in std::iter::once(root.join(place).join(unit)).chain(drop_ins) {
                read_unit(&file, &mut last, &mut service);
            }
        }
        service.commands.extend(last);
    }
    for file in ENVIRONMENT_FILES.iter().map(|file| root.join(file)) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.lines().for_each(|line| assignment(line, &file, &mut service));
    }
    service
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    files
}

fn read_unit(file: &Path, last: &mut Option<Said<Vec<String>>>, service: &mut Service) {
    let text = std::fs::read_to_string(file).unwrap_or_default().replace("\\\n", " ");
    for line in text.lines().map(str::trim) {
        if let Some(command) = line.strip_prefix("ExecStart=") {
            // An empty line takes back what was said before.
            let mut words = words(command).into_iter();
            let program = words.next().unwrap_or_default();
            let is_falco = Path::new(program.trim_start_matches(['-', '@', '+', '!', ':'])).ends_with("falco");
            let what: Vec<String> = words.collect();
            *last = is_falco.then(|| Said { file: file.to_owned(), what });
        } else if let Some(assignments) = line.strip_prefix("Environment=") {
            words(assignments).iter().for_each(|word| assignment(word, file, service));
        }
    }
}

fn assignment(line: &str, file: &Path, service: &mut Service) {
    let line = line.trim();
    let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.is_empty() && !line.starts_with('#'))
    else {
        return;
    };
    let value = value.trim_matches(['"', '\'']);
    service.variables.push(Said { file: file.to_owned(), what: (name.trim().to_owned(), value.to_owned()) });
}

/// Words of a command line, quotation marks and backslashes taken away.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => word.extend(chars.next()),
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => word.push(c),
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
                continue;
            }
            (c, None) => word.push(c),
        }
        any = true;
    }
    if any {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_split() {
        assert_eq!(
            words(r#"/usr/bin/falco -o "a b=c"  -o 'x\=y' -U"#),
            ["/usr/bin/falco", "-o", "a b=c", "-o", "x=y", "-U"]
        );
        assert_eq!(words("  "), [""; 0]);
        assert_eq!(words("''"), [""]);
    }

    #[test]
    fn drop_ins_replace_the_units_command() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "usr/lib/systemd/system/falco-modern-bpf.service",
            "[Service]\nExecStart=/usr/bin/falco -o engine.kind=modern_ebpf\n",
        );
        write(
            "etc/systemd/system/falco-modern-bpf.service.d/override.conf",
            "[Service]\nEnvironment=\"FALCO_HOSTNAME=web 1\" X=2\nExecStart=\nExecStart=-/usr/bin/falco \\\n  -o json_output=true\n",
        );
        write("etc/default/falco", "# no\nFALCOCTL_ENABLED=no\n");
        let service = read(&root.path().join("etc/falco"));
        assert_eq!(service.commands.len(), 1);
        assert_eq!(service.commands[0].what, ["-o", "json_output=true"]);
        let names: Vec<_> = service.variables.iter().map(|said| (said.what.0.as_str(), said.what.1.as_str())).collect();
        assert_eq!(names, [("FALCO_HOSTNAME", "web 1"), ("X", "2"), ("FALCOCTL_ENABLED", "no")]);
        assert!(read(root.path()).commands.is_empty());
    }
}
