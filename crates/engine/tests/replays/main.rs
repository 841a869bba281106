//! The engine over real captures: against upstream's answers, and against a plain interpreter.

mod differential;
mod reference;
mod replay;
