//! Running programs under the driver: one that we hold back until everything is attached, and the corpus' programs in
//! their own surroundings.

use peregrine_driver::{Config, LiveSource, Needs, Scope};
use peregrine_event::Event;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The bytes of every event, in order, and what was counted.
pub struct Recording {
    /// Events with the CPU they happened on.
    pub events: Vec<(Vec<u8>, u16)>,
    /// Process id of the program that was released.
    pub root: u32,
    /// Lost events.
    pub drops: u64,
}

impl Recording {
    /// Every event, parsed.
    pub fn events(&self) -> impl Iterator<Item = Event<'_>> {
        self.events.iter().map(|(bytes, cpu)| Event::parse(bytes, *cpu).expect("it was parsed before"))
    }
}

/// Ends its process when the test ends, however it ends.
pub struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Held {
    /// A shell that runs `script` when it is released.
    pub fn shell(script: &str) -> Self {
        Self::spawn(Command::new("/bin/sh").args(["-c", &format!("read go; {script}")]))
    }

    /// A program that waits for one byte or line on its standard input.
    pub fn spawn(command: &mut Command) -> Self {
        Self(
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program starts"),
        )
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Watches the process and its descendants, lets it go, and records until it ended.
    pub fn record(self, needs: Needs) -> Recording {
        self.record_with(|config| config.needs = needs)
    }

    /// The same with another configuration.
    pub fn record_with(mut self, change: impl FnOnce(&mut Config)) -> Recording {
        let mut config = Config { scope: Scope::Tree(self.id()), ..Config::default() };
        change(&mut config);
        let mut source = LiveSource::start(&config).expect("the driver starts");
        self.0.stdin.take().expect("standard input is a pipe").write_all(b"\n").expect("the program waits for it");
        let mut events = Vec::new();
        let deadline = Instant::now() + PATIENCE;
        while self.0.try_wait().expect("a child can be waited for").is_none() {
            assert!(Instant::now() < deadline, "the program does not end");
            source.next_batch(Duration::from_millis(20), |event| events.push((event.bytes().to_vec(), event.cpu)));
        }
        source.stop();
        while source.next_batch(Duration::ZERO, |event| events.push((event.bytes().to_vec(), event.cpu))).events > 0 {}
        assert_eq!(source.irregular(), Default::default());
        let drops = source.stats().expect("the counters can be read").total().drops();
        Recording { events, root: self.id(), drops }
    }
}

/// The corpus' programs, compiled, in a directory that ends with the value.
pub struct Programs {
    dir: PathBuf,
    sources: PathBuf,
}

impl Drop for Programs {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Programs {
    /// Compiles `newest/programs` of the corpus.
    pub fn build(corpus: &Path) -> Self {
        let sources = corpus.join("newest/programs");
        let dir = std::env::temp_dir().join(format!("peregrine-programs-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the temporary directory takes another");
        let programs = Self { dir, sources };
        for (source, program) in [
            ("demo-init.c", "demo-init"),
            ("tiny.c", "tiny"),
            ("actor.c", "actor"),
            ("sys_a.c", "sys_a"),
            ("deeds_a.c", "deeds_a"),
            ("deeds_c.c", "deeds_c"),
        ] {
            let mut gcc = Command::new("gcc");
            gcc.args(["-O2", "-static", "-w", "-pthread", "-o"]).arg(programs.dir.join(program));
            let status = gcc.arg(programs.sources.join(source)).status().expect("gcc runs");
            assert!(status.success(), "{source} does not compile");
        }
        programs
    }

    /// Starts a program in the surroundings of the captures, up to where its launcher waits.
    pub fn start(&self, program: &str) -> Held {
        // Descriptors that a test runner leaves open would shift the numbers that shells choose.
        let script = "exec 3<&0 </dev/null; for fd in $(seq 4 40); do eval \"exec $fd>&-\"; done; exec bash \"$@\"";
        let mut command = Command::new("bash");
        command.process_group(0);
        command.args(["-c", script, "stage"]).arg(self.sources.join("stage.sh")).arg(&self.dir);
        command.args(["/opt/demo/bin/demo-init".to_owned(), format!("/opt/demo/bin/{program}")]);
        let held = Held::spawn(&mut command);
        let comm = format!("/proc/{}/comm", held.id());
        let deadline = Instant::now() + PATIENCE;
        while std::fs::read_to_string(&comm).expect("the stage stays").trim() != "demo-init" {
            assert!(Instant::now() < deadline, "the stage does not get ready");
            std::thread::sleep(Duration::from_millis(5));
        }
        held
    }
}
