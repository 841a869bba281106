//! Loading the kernel programs, attaching them, and what can be asked of them while they run.

use crate::error::{kernel_release, log_tail};
use crate::memory::KernelFile;
use crate::order::{Irregular, Rings, WINDOW_NS};
use crate::ring::{Marks, Ring};
use crate::scope::{Target, tree_members};
use crate::stats::{Counters, Stats};
use crate::{Config, DriverError, Hooks, Needs, btf, counters::COUNTERS, hooks, privileges};
use aya::maps::{Array, ArrayOfMaps, Map, MapData, PerCpuArray, ProgramArray};
use aya::programs::{BtfTracePoint, Program, ProgramError};
use aya::{Btf, Ebpf, EbpfLoader, Endianness, VerifierLogLevel};
use peregrine_event::{Event, calls, code};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const BTF_PATH: &str = "/sys/kernel/btf/vmlinux";

/// The dispatcher: the one program on the system call exit tracepoint that is attached.
const DISPATCHER: &str = "sys_exit";
/// Tracepoints that are no system calls: program, tracepoint, and the event it tells of.
///
/// The first three are attached always: they keep the scope's table of processes and tell of every new and ended
/// thread.
const TRACEPOINTS: [(&str, &str, u16); 4] = [
    ("process_exec", "sched_process_exec", code::SYSCALL_EXECVE_19_X),
    ("process_fork", "sched_process_fork", code::SYSCALL_CLONE_20_X),
    ("process_exit", "sched_process_exit", code::PROCEXIT_1_E),
    SIGNALS,
];
/// The one that is attached only where somebody wants it.
const SIGNALS: (&str, &str, u16) = ("signal_deliver", "signal_deliver", code::SIGNALDELIVER_E);

/// Programs that end what programs of calls began: their names and places in the table of programs (`maps.h`).
const STAGES: [(&str, u32); 1] = [("stage_path", 512)];

/// Calls whose event another call's program tells of.
const SHARED: [(&str, &str); 4] = [("clone3", "clone"), ("fork", "clone"), ("vfork", "clone"), ("execveat", "execve")];

/// Bits of the kernel's tables of wanted calls and events.
const WANT: u8 = 1;
const WANT_SUCCESS_ONLY: u8 = 2;
const WANT_NUMBER: u8 = 4;
/// 32-bit x86's numbers for all calls of sockets, and for all of System V's.
const MULTIPLEXERS: [u16; 2] = [102, 117];
const SCOPE_CGROUP: u32 = 1;
const SCOPE_TREE: u32 = 2;
/// Numbers that a process may have at most (`PID_MAX_LIMIT`), a byte for each; how many of them an entry of the table has.
const TREE_BYTES: usize = 4 << 20;
const TREE_SHIFT: u32 = 12;

/// The running kernel programs. Dropping it detaches them; nothing stays in the kernel, whatever way the process ends.
pub struct Driver {
    programs: Arc<Mutex<Programs>>,
    rings: Rings,
    counters: PerCpuArray<MapData, [u64; COUNTERS.len()]>,
    boot_offset_ns: u64,
    ring_bytes: usize,
    hooks: Hooks,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("rings", &self.rings).finish_non_exhaustive()
    }
}

impl Drop for Driver {
    /// Programs stop writing before the rings go, whoever still holds a [`Control`].
    fn drop(&mut self) {
        self.detach();
    }
}

/// Changes what the running programs tell of, from any thread; draining goes on meanwhile.
#[derive(Clone)]
pub struct Control(Arc<Mutex<Programs>>);

impl Control {
    /// Loads the programs that these needs ask for and that are not there yet, and from then on wants these events and
    /// no others. What was wanted before and still is goes on without a gap. Loading takes a moment and the privileges
    /// for it; without effect once the driver was stopped.
    ///
    /// # Errors
    /// What refused; events that were wanted before still are.
    pub fn set_needs(&self, needs: &Needs) -> Result<(), DriverError> {
        locked(&self.0).set_needs(needs)
    }

    /// As [`Control::set_needs`], but what is wanted already stays wanted.
    ///
    /// # Errors
    /// As there.
    pub fn widen(&self, needs: &Needs) -> Result<(), DriverError> {
        let mut programs = locked(&self.0);
        let both = programs.needs.union(needs);
        programs.set_needs(&both)
    }

    /// How often each attached program ran and how long in all; zero unless `kernel.bpf_stats_enabled` is set. The
    /// time of a call's program is its dispatcher's. Waits while programs are being loaded.
    pub fn run_times(&self) -> Vec<(&'static str, u64, Duration)> {
        let programs = locked(&self.0);
        let attached = std::iter::once(DISPATCHER).chain(tracepoints(&programs.needs).map(|(name, _)| name));
        let info = |name| Some((name, programs.ebpf.program(name)?.info().ok()?));
        attached.filter_map(info).map(|(name, info)| (name, info.run_count(), info.run_time())).collect()
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

/// The programs with their tables.
struct Programs {
    // Before the maps: programs stop writing first.
    ebpf: Ebpf,
    tables: Tables,
    verified: BTreeMap<String, u32>,
    /// What is wanted now.
    needs: Needs,
    /// What was wanted at any time: its programs are loaded.
    loaded: Needs,
    drop_failed: bool,
    stopped: bool,
}

fn locked(programs: &Mutex<Programs>) -> MutexGuard<'_, Programs> {
    programs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The maps that the programs look into, kept to be written again.
struct Tables {
    programs: ProgramArray<MapData>,
    calls: Wanted,
    events: Wanted,
    rings: ArrayOfMaps<MapData, MapData>,
    tree: Tree,
}

impl Driver {
    /// Loads and attaches what the configuration asks for. From the return on events gather in the ring buffers, so
    /// that a snapshot of `/proc` taken afterwards and the events leave no gap between them.
    ///
    /// # Errors
    /// A [`DriverError`] that names what is missing and the remedy.
    pub fn load(config: &Config) -> Result<Self, DriverError> {
        config.check()?;
        privileges::check()?;
        let target = Target::resolve(&config.scope)?;
        let boot_offset_ns = boot_offset();
        let types = KernelTypes::get()?;
        let mut ebpf = open_object(config, &target, boot_offset_ns, &types.read)?;
        let mut tables = Tables::take(&mut ebpf)?;
        let counters = take_map(&mut ebpf, "counters")?;
        let mut verified = BTreeMap::new();
        load_programs(&mut ebpf, &mut tables, &config.needs, &types.tracepoints, &mut verified)?;
        let hooks = Hooks::probe(&mut ebpf, &types.tracepoints);
        drop(types);
        // The kernel's type information is no longer needed; the rings come after it, not beside it.
        crate::memory::give_back();
        let rings = tables.make_rings(config)?;
        tables.want(&config.needs, config.drop_failed)?;
        attach(&mut ebpf, &config.needs)?;
        if let Target::Tree(root) = target {
            tables.seed_tree(root)?;
        }
        let (needs, loaded, drop_failed) = (config.needs, config.needs, config.drop_failed);
        let programs = Programs { ebpf, tables, verified, needs, loaded, drop_failed, stopped: false };
        Ok(Self {
            programs: Arc::new(Mutex::new(programs)),
            rings,
            counters: PerCpuArray::try_from(counters).map_err(|e| map_error("counters", e))?,
            boot_offset_ns,
            ring_bytes: config.buffer.bytes() as usize,
            hooks,
        })
    }

    /// A handle that changes what the programs tell of.
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.programs))
    }

    /// Hands on what has arrived up to a moment ago, oldest first, and returns how many events that were. Events
    /// borrow the ring buffer: what must outlive the call is copied by the callee. Never waits; at most one batch.
    pub fn drain(&mut self, each: &mut dyn FnMut(&Event<'_>)) -> usize {
        let cutoff = self.now().saturating_sub(WINDOW_NS);
        self.rings.drain(cutoff, each)
    }

    /// Like [`Driver::drain`], without holding anything back: for the end, when nothing older can come.
    pub fn drain_all(&mut self, each: &mut dyn FnMut(&Event<'_>)) -> usize {
        self.rings.drain(u64::MAX, each)
    }

    /// The present time on the events' clock, nanoseconds since the epoch.
    pub fn now(&self) -> u64 {
        nanoseconds(ClockId::Boottime) + self.boot_offset_ns
    }

    /// Stops the programs; what is in the buffers can still be drained.
    pub fn detach(&mut self) {
        let mut programs = locked(&self.programs);
        programs.stopped = true;
        for (_, program) in programs.ebpf.programs_mut() {
            if let Program::BtfTracePoint(program) = program {
                // Fails only for a program that was never loaded.
                let _ = program.unload();
            }
        }
    }

    /// The counters of the kernel programs.
    ///
    /// # Errors
    /// [`DriverError::Map`] when the kernel refuses to read them.
    pub fn stats(&self) -> Result<Stats, DriverError> {
        let values = self.counters.get(&0, 0).map_err(|e| map_error("counters", e))?;
        Ok(Stats { cpus: values.iter().map(|n| Counters { n: *n }).collect() })
    }

    /// What the consumer found in the rings that should not have been there.
    pub fn irregular(&self) -> Irregular {
        self.rings.irregular()
    }

    /// Instructions that the verifier walked, by program; kernels before 5.16 do not say.
    pub fn verified_instructions(&self) -> BTreeMap<String, u32> {
        locked(&self.programs).verified.clone()
    }

    /// As [`Control::run_times`].
    pub fn run_times(&self) -> Vec<(&'static str, u64, Duration)> {
        self.control().run_times()
    }

    /// Bytes of each ring buffer, and how full the fullest one is now.
    pub fn ring_use(&self) -> (usize, usize) {
        (self.ring_bytes, self.rings.backlog())
    }

    /// What this kernel lets be hooked beyond tracepoints.
    pub fn hooks(&self) -> Hooks {
        self.hooks
    }

    /// Number of ring buffers.
    pub fn ring_count(&self) -> usize {
        self.rings.len()
    }
}

impl Programs {
    fn set_needs(&mut self, needs: &Needs) -> Result<(), DriverError> {
        if self.stopped || self.needs == *needs {
            return Ok(());
        }
        let (name, event) = (SIGNALS.0, SIGNALS.2);
        let both = self.loaded.union(needs);
        let unloaded = needs.contains(event) && !self.needs.contains(event);
        if both != self.loaded || unloaded {
            let types = KernelTypes::get()?;
            load_programs(&mut self.ebpf, &mut self.tables, &both, &types.tracepoints, &mut self.verified)?;
            drop(types);
            crate::memory::give_back();
            self.loaded = both;
        }
        if needs.contains(event) && !self.needs.contains(event) {
            let attached = tracepoint_program(&mut self.ebpf, name)?.attach();
            attached.map_err(|e| DriverError::Attach { program: name.to_owned(), reason: chain(&e) })?;
        }
        self.tables.want(needs, self.drop_failed)?;
        if self.needs.contains(event) && !needs.contains(event) {
            let unloaded = tracepoint_program(&mut self.ebpf, name)?.unload();
            unloaded.map_err(|e| program_error(name, e))?;
        }
        self.needs = *needs;
        Ok(())
    }
}

/// Loads the programs of wanted calls that are not loaded yet, puts each at its numbers in the dispatcher's table, and
/// loads what is to be attached. Adds the instructions that the verifier walked.
fn load_programs(
    ebpf: &mut Ebpf,
    tables: &mut Tables,
    needs: &Needs,
    btf: &Btf,
    verified: &mut BTreeMap<String, u32>,
) -> Result<(), DriverError> {
    let mut wanted: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (call, number) in native_calls().filter(|(call, _)| call_wanted(call, needs)) {
        if let Some(name) = program_of(ebpf, call) {
            wanted.entry(name).or_default().push(number);
        }
    }
    let mut load = |ebpf: &mut Ebpf, name: &str, tracepoint: &str| {
        let program = tracepoint_program(ebpf, name)?;
        if program.fd().is_err() {
            program.load(tracepoint, btf).map_err(|e| program_error(name, e))?;
            let count = program.info().ok().and_then(|info| info.verified_instruction_count());
            verified.extend(count.map(|count| (name.to_owned(), count)));
        }
        program.fd().and_then(|fd| Ok(fd.try_clone()?)).map_err(|e| program_error(name, e))
    };
    for (name, numbers) in &wanted {
        let fd = load(ebpf, name, "sys_exit")?;
        for number in numbers {
            tables.programs.set(*number, &fd, 0).map_err(|e| map_error("programs", e))?;
        }
    }
    for (name, number) in STAGES {
        let fd = load(ebpf, name, "sys_exit")?;
        tables.programs.set(number, &fd, 0).map_err(|e| map_error("programs", e))?;
    }
    load(ebpf, DISPATCHER, "sys_exit")?;
    for (name, tracepoint) in tracepoints(needs) {
        load(ebpf, name, tracepoint)?;
    }
    Ok(())
}

/// The program of a call, or the generic one for calls that share an event; `None` where the object has none.
fn program_of(ebpf: &Ebpf, call: &calls::Call) -> Option<String> {
    // The call `exit` has no end to tell of; its name would be the dispatcher's.
    let shared = SHARED.iter().find(|(name, _)| *name == call.name).map_or(call.name, |(_, program)| *program);
    let own = Some(format!("sys_{shared}")).filter(|name| name != DISPATCHER);
    let generic = (call.event == code::GENERIC_X).then(|| "sys_generic".to_owned());
    [own, generic].into_iter().flatten().find(|name| ebpf.program(name).is_some())
}

/// The tracepoints to attach besides the dispatcher: program and tracepoint.
fn tracepoints(needs: &Needs) -> impl Iterator<Item = (&'static str, &'static str)> {
    let wanted = |event: u16| event != code::SIGNALDELIVER_E || needs.contains(event);
    TRACEPOINTS.iter().filter(move |(_, _, event)| wanted(*event)).map(|(name, tracepoint, _)| (*name, *tracepoint))
}

fn tracepoint_program<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut BtfTracePoint, DriverError> {
    let missing = || DriverError::Object { kernel: kernel_release(), reason: format!("no program {name}") };
    ebpf.program_mut(name).and_then(|program| program.try_into().ok()).ok_or_else(missing)
}

/// Attaches the tracepoints, the dispatcher last: a process is known to the scope before its calls are looked at.
fn attach(ebpf: &mut Ebpf, needs: &Needs) -> Result<(), DriverError> {
    for name in tracepoints(needs).map(|(name, _)| name).chain([DISPATCHER]) {
        let attached = tracepoint_program(ebpf, name)?.attach();
        attached.map_err(|e| DriverError::Attach { program: name.to_owned(), reason: chain(&e) })?;
    }
    Ok(())
}

/// The thread groups inside of a tree.
struct Tree {
    map: MapData,
    marks: Option<Marks>,
}

impl Tree {
    fn take(ebpf: &mut Ebpf) -> Result<Self, DriverError> {
        match take_map(ebpf, "scope_tgids")? {
            Map::Array(map) => Ok(Self { map, marks: None }),
            _ => Err(DriverError::Map { map: "scope_tgids", reason: "it is no array".into() }),
        }
    }

    /// Maps the table, which has its full size with this scope only.
    fn map(&mut self) -> Result<(), DriverError> {
        let marks = Marks::map(self.map.fd().as_fd(), TREE_BYTES);
        self.marks = Some(marks.map_err(|e| map_error("scope_tgids", e))?);
        Ok(())
    }

    /// Marks a process; whether it was not marked before.
    fn add(&self, pid: u32) -> bool {
        self.marks.as_ref().is_some_and(|marks| marks.set(pid as usize))
    }
}

/// A table of what is wanted, with what it holds now.
struct Wanted {
    name: &'static str,
    map: Array<MapData, u8>,
    now: Vec<u8>,
}

impl Wanted {
    /// A table that was not written to yet.
    fn new(name: &'static str, map: Array<MapData, u8>) -> Self {
        let now = vec![0; map.len() as usize];
        Self { name, map, now }
    }

    /// Writes the entries that change.
    fn write(&mut self, value: impl Fn(u32) -> u8) -> Result<(), DriverError> {
        for (index, now) in (0..).zip(&mut self.now) {
            let value = value(index);
            if *now != value {
                self.map.set(index, value, 0).map_err(|e| map_error(self.name, e))?;
                *now = value;
            }
        }
        Ok(())
    }
}

impl Tables {
    fn take(ebpf: &mut Ebpf) -> Result<Self, DriverError> {
        macro_rules! typed {
            ($name:literal) => {
                take_map(ebpf, $name)?.try_into().map_err(|e| map_error($name, e))?
            };
        }
        Ok(Self {
            programs: typed!("programs"),
            calls: Wanted::new("wanted_calls", typed!("wanted_calls")),
            events: Wanted::new("wanted_events", typed!("wanted_events")),
            rings: typed!("rings"),
            tree: Tree::take(ebpf)?,
        })
    }

    /// Makes the ring buffers and gives each CPU its own or its group's. CPUs that are offline now get one too, in
    /// case they come.
    fn make_rings(&mut self, config: &Config) -> Result<Rings, DriverError> {
        let bytes = config.buffer.bytes() as usize;
        let failed = |reason: String| DriverError::Ring { bytes, reason };
        let online = aya::util::online_cpus().map_err(|(path, e)| failed(format!("{path}: {e}")))?;
        let share = match usize::from(config.cpus_per_buffer) {
            0 => online.len(),
            n => n.min(online.len()),
        };
        let mut rings = Vec::new();
        let mut of_cpu = vec![0; self.rings.len() as usize];
        let mut maps = Vec::new();
        for group in online.chunks(share.max(1)) {
            let map = ring_map(config.buffer.bytes()).map_err(|e| failed(chain(&e)))?;
            let ring = Ring::map(map.fd().as_fd(), bytes).map_err(|e| failed(e.to_string()))?;
            let first = group.first().copied().unwrap_or(0);
            for cpu in group {
                if let Some(slot) = of_cpu.get_mut(*cpu as usize) {
                    *slot = maps.len();
                }
            }
            rings.push((first as u16, ring));
            maps.push(map);
        }
        for (cpu, index) in of_cpu.iter().enumerate() {
            self.rings.set(cpu as u32, &maps[*index], 0).map_err(|e| failed(chain(&e)))?;
        }
        Ok(Rings::new(rings))
    }

    /// Writes the tables of wanted calls and events, all of them: what was wanted and still is never stops being it.
    fn want(&mut self, needs: &Needs, drop_failed: bool) -> Result<(), DriverError> {
        let bits = if drop_failed { WANT | WANT_SUCCESS_ONLY } else { WANT };
        let mut wanted = BTreeMap::<u32, u8>::new();
        for (call, number) in native_calls().filter(|(call, _)| call_wanted(call, needs)) {
            *wanted.entry(number).or_default() |= bits | WANT_NUMBER;
            if cfg!(target_arch = "x86_64") {
                for number in call.i386.iter().chain(&MULTIPLEXERS) {
                    *wanted.entry(u32::from(*number)).or_default() |= WANT_NUMBER;
                }
            }
        }
        self.calls.write(|number| wanted.get(&number).copied().unwrap_or(0))?;
        self.events.write(|code| match u16::try_from(code) {
            Ok(code) if needs.contains(code) => bits,
            _ => 0,
        })
    }

    /// Puts a process and its descendants into the scope. Forks since attaching are added by the kernel, so going
    /// over `/proc` until nothing new is found leaves nobody out.
    fn seed_tree(&mut self, root: u32) -> Result<(), DriverError> {
        self.tree.map()?;
        self.tree.add(root);
        loop {
            let mut added = false;
            for pid in tree_members(root)? {
                added |= self.tree.add(pid);
            }
            if !added {
                return Ok(());
            }
        }
    }
}

/// The compiled programs with their settings, maps created, nothing loaded yet.
fn open_object(config: &Config, target: &Target, boot_offset_ns: u64, types: &Btf) -> Result<Ebpf, DriverError> {
    let (mode, cgroup, level) = match target {
        Target::All => (0, 0, 0),
        Target::Cgroup(cgroup) => (SCOPE_CGROUP, cgroup.id, cgroup.level),
        Target::Tree(_) => (SCOPE_TREE, 0, 0),
    };
    let cpus = aya::util::nr_cpus().map_err(|(what, source)| DriverError::Read { path: what.into(), source })? as u32;
    let own = if config.exclude_self { std::process::id() } else { 0 };
    let mut loader = crate::apart::without_sys(EbpfLoader::new).unwrap_or_default();
    loader
        .btf(Some(types))
        .verifier_log_level(VerifierLogLevel::DEBUG | VerifierLogLevel::STATS)
        .override_global("boot_offset_ns", &boot_offset_ns, true)
        .override_global("own_tgid", &own, true)
        .override_global("snaplen", &config.snaplen, true)
        .override_global("scope_mode", &mode, true)
        .override_global("scope_cgroup", &cgroup, true)
        .override_global("scope_cgroup_level", &level, true)
        .map_max_entries("rings", cpus)
        .map_max_entries("scope_tgids", if mode == SCOPE_TREE { TREE_BYTES as u32 >> TREE_SHIFT } else { 1 })
        .map_max_entries("scratch", cpus);
    loader.load(crate::OBJECT).map_err(|e| DriverError::Object { kernel: kernel_release(), reason: chain(&e) })
}

/// What the kernel says of its types, as far as the programs need it.
struct KernelTypes {
    /// To relocate the programs.
    read: Btf,
    /// To attach them: tracepoints and functions, under the kernel's own numbers.
    tracepoints: Btf,
}

impl KernelTypes {
    fn get() -> Result<Self, DriverError> {
        let data = KernelFile::open(Path::new(BTF_PATH)).map_err(|source| DriverError::NoBtf {
            path: BTF_PATH.into(),
            kernel: kernel_release(),
            source,
        })?;
        let parse = |data: &[u8]| Btf::parse(data, Endianness::default()).map_err(|e| DriverError::Btf(chain(&e)));
        let hooks = TRACEPOINTS.iter().map(|(_, tracepoint, _)| *tracepoint).chain(["sys_exit"]);
        let hooks = hooks.map(|tracepoint| format!("btf_trace_{tracepoint}"));
        let hooks: Vec<String> = hooks.chain(hooks::FUNCTIONS.map(str::to_owned)).collect();
        let few = btf::Types::parse(&data).and_then(|kernel| {
            let own = btf::Types::parse(btf::section(crate::OBJECT, ".BTF")?)?;
            let hooks = hooks.iter().map(String::as_bytes).collect();
            Some((kernel.only(&own.names())?, kernel.hooks_in_place(&hooks)?))
        });
        match few {
            Some((read, tracepoints)) => Ok(Self { read: parse(&read)?, tracepoints: parse(&tracepoints)? }),
            // A kind of type that we do not know yet: the loader may.
            None => Ok(Self { read: parse(&data)?, tracepoints: parse(&data)? }),
        }
    }
}

/// A ring buffer map of that many bytes.
fn ring_map(bytes: u32) -> Result<MapData, aya::maps::MapError> {
    let kind = aya_obj::generated::bpf_map_type::BPF_MAP_TYPE_RINGBUF as u32;
    MapData::create(aya_obj::Map::new_from_params(kind, 0, 0, bytes, 0), "ring", None)
}

/// This architecture's calls with their numbers.
fn native_calls() -> impl Iterator<Item = (&'static calls::Call, u32)> {
    calls::CALLS.iter().filter_map(|call| {
        let number = if cfg!(target_arch = "aarch64") { call.aarch64 } else { call.x86_64 };
        u32::try_from(number).ok().map(|number| (call, number))
    })
}

fn call_wanted(call: &calls::Call, needs: &Needs) -> bool {
    match call.event {
        code::GENERIC_X => needs.contains_generic(call.id()),
        event => needs.contains(event),
    }
}

/// Wall clock minus boot clock: constant but for changes of the wall clock, which running events do not follow.
fn boot_offset() -> u64 {
    nanoseconds(ClockId::Realtime).saturating_sub(nanoseconds(ClockId::Boottime))
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn take_map(ebpf: &mut Ebpf, name: &'static str) -> Result<Map, DriverError> {
    ebpf.take_map(name).ok_or(DriverError::Map { map: name, reason: "the object has no such map".into() })
}

fn map_error(map: &'static str, error: impl std::error::Error) -> DriverError {
    DriverError::Map { map, reason: chain(&error) }
}

fn program_error(name: &str, error: ProgramError) -> DriverError {
    let log = match &error {
        ProgramError::LoadError { verifier_log, .. } => log_tail(&verifier_log.to_string()),
        _ => String::new(),
    };
    let reason = match &error {
        ProgramError::LoadError { io_error, .. } => io_error.to_string(),
        other => chain(other),
    };
    DriverError::Verifier { program: name.to_owned(), kernel: kernel_release(), reason, log }
}

/// An error with its causes, since the loader's outermost messages say little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Whether the kernel's description of its types is there, without which nothing can be loaded.
pub fn has_btf() -> bool {
    Path::new(BTF_PATH).exists()
}
