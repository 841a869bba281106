//! What is asked.

use peregrine_state::container::Wanted;
use peregrine_state::{State, ThreadInfo};

/// Processes above a thread that are looked at.
const ABOVE: usize = 6;
/// Arguments of each, and their length in bytes.
const ARGUMENTS: usize = 256;
const LONGEST: usize = 4096;

/// A container of which only the id is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The id that the answer has to bear.
    pub id: String,
    /// The whole id.
    pub full_id: String,
    /// Path of the control group that names it.
    pub cgroup: String,
    /// The thread that it was met with and the processes above it: runtimes and their shims are among them.
    pub above: Vec<Above>,
}

/// A process, as far as it says where a runtime keeps its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Above {
    /// Program and arguments.
    pub arguments: Vec<String>,
    /// Working directory.
    pub directory: String,
    /// Its user, whose files it may name.
    pub uid: u32,
}

impl Query {
    /// The question for a container that the state met.
    pub fn new(wanted: &Wanted, state: &State) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let first = state.lookup(wanted.tid).and_then(|slot| state.thread(slot));
        let all = std::iter::successors(first, |thread| state.parent(thread)).take(ABOVE);
        // What the container's own processes say of themselves is not believed.
        let others = all.filter(|thread| thread.container_id != wanted.id);
        let above = others.map(|thread| Above {
            arguments: arguments(thread),
            directory: text(state.cwd(thread)),
            uid: thread.uid,
        });
        let above = above.collect();
        Self { id: text(&wanted.id), full_id: text(&wanted.full_id), cgroup: text(&wanted.cgroup), above }
    }
}

fn arguments(thread: &ThreadInfo) -> Vec<String> {
    let all = std::iter::once(&thread.exe[..]).chain(thread.args()).take(ARGUMENTS);
    all.map(|argument| String::from_utf8_lossy(&argument[..argument.len().min(LONGEST)]).into_owned()).collect()
}
