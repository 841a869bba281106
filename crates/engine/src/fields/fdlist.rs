//! Fields of the descriptors that `poll` and `ppoll` wait for.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("fdlist.nums", T::Charbuf, F::Id, nums, "Numbers of the polled descriptors, commas between."),
    f("fdlist.names", T::Charbuf, F::Na, names, "Names of the polled descriptors, commas between."),
    f("fdlist.cips", T::Charbuf, F::Na, cips, "Client addresses of the polled sockets, commas between."),
    f("fdlist.sips", T::Charbuf, F::Na, sips, "Server addresses of the polled sockets, commas between."),
    f("fdlist.cports", T::Charbuf, F::Dec, cports, "Client ports of the polled sockets, commas between."),
    f("fdlist.sports", T::Charbuf, F::Dec, sports, "Server ports of the polled sockets, commas between."),
];

fn nums<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn names<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cips<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sips<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn cports<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn sports<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
