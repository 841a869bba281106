//! Paths that file system calls work on.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("fs.path.name", T::Charbuf, F::Na, name, "Absolute path that the call works on."),
    f("fs.path.nameraw", T::Charbuf, F::Na, nameraw, "Path that the call works on, as it was passed."),
    f("fs.path.source", T::Charbuf, F::Na, source, "Absolute path that the call takes from."),
    f("fs.path.sourceraw", T::Charbuf, F::Na, sourceraw, "Path that the call takes from, as it was passed."),
    f("fs.path.target", T::Charbuf, F::Na, target, "Absolute path that the call gives to."),
    f("fs.path.targetraw", T::Charbuf, F::Na, targetraw, "Path that the call gives to, as it was passed."),
];

fn name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn nameraw<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn source<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sourceraw<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn target<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn targetraw<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
