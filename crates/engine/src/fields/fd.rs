//! Fields of the event's descriptor.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("fd.num", T::Int64, F::Id, num, "Number of the event's descriptor."),
    f("fd.type", T::Charbuf, F::Dec, fd_type, "Kind of the descriptor: `file`, `directory`, `ipv4`, `pipe` and so on."),
    f("fd.typechar", T::Charbuf, F::Dec, typechar, "Kind of the descriptor as one character."),
    f("fd.name", T::Charbuf, F::Na, name, "Path of a file, both ends of a connection, or what else names the descriptor."),
    f("fd.nameraw", T::Charbuf, F::Na, nameraw, "Path as it was passed to the call, not made absolute."),
    f("fd.directory", T::Charbuf, F::Na, directory, "Directory that holds the file."),
    f("fd.filename", T::Charbuf, F::Na, filename, "Last component of the file's path."),
    f("fd.uid", T::Charbuf, F::Na, uid, "Thread id and descriptor number, one after the other."),
    f("fd.containername", T::Charbuf, F::Na, containername, "Container id and descriptor name, a colon between."),
    f("fd.containerdirectory", T::Charbuf, F::Na, containerdirectory, "Container id and directory, a colon between."),
    f("fd.connected", T::Bool, F::Na, connected, "Whether the socket is connected."),
    f("fd.name_changed", T::Bool, F::Na, name_changed, "Whether this event changed the descriptor's name."),
    f("fd.dev", T::Int32, F::Hex, dev, "Device that holds the file."),
    f("fd.dev.major", T::Int32, F::Dec, dev_major, "Major number of the device that holds the file."),
    f("fd.dev.minor", T::Int32, F::Dec, dev_minor, "Minor number of the device that holds the file."),
    f("fd.ino", T::Int64, F::Dec, ino, "Inode of the file."),
    f("fd.types", T::Charbuf, F::Dec, types, "Kinds of all open descriptors, each once; `[N]` gives that descriptor's.").arg(A::IndexOptional).list().flags(flag::ARG_ALLOWED | flag::NO_RHS),
    f("fd.is_upper_layer", T::Bool, F::Na, is_upper_layer, "Whether the file lies in an overlay's upper layer."),
    f("fd.is_lower_layer", T::Bool, F::Na, is_lower_layer, "Whether the file lies in an overlay's lower layer."),
];

fn num<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn fd_type<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn typechar<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn nameraw<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn directory<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn filename<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn uid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn containername<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn containerdirectory<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn connected<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn name_changed<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn dev<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn dev_major<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn dev_minor<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn ino<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn types<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_upper_layer<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn is_lower_layer<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
