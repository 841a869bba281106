//! The engine over real captures: against upstream's answers, and against a plain interpreter.

mod answers;
mod differential;
mod generate;
mod reference;
mod replay;
