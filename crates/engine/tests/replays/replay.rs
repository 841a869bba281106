//! Running a capture through state and whatever is done with its events.

use bumpalo::Bump;
use peregrine_capture::{Item, Options, Reader};
use peregrine_engine::{Moment, Session};
use peregrine_state::State;
use std::path::Path;

/// Calls `each` for every event of a capture that rules would see.
pub fn events(path: &Path, session: &Session, mut each: impl FnMut(&Moment<'_>)) {
    let mut reader = Reader::open(path, Options::default()).unwrap();
    let mut state = State::default();
    let mut scratch = Bump::new();
    while let Some(item) = reader.next().unwrap() {
        let (event, state_only) = match item {
            Item::Section(tables) => {
                state = State::new(*tables);
                continue;
            }
            Item::Event { event, state_only, .. } => (event, state_only),
        };
        let context = state.begin(&event);
        if !state_only {
            let (event, context) = (&event, &context);
            each(&Moment { event, context, state: &state, source: "syscall", scratch: &scratch, session });
        }
        state.finish(&event, &context);
        scratch.reset();
    }
}
