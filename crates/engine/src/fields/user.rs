//! Fields of the user and the group.

use super::row::*;

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("user.uid", T::Uint32, F::Id, uid, "Effective user id."),
    f("user.name", T::Charbuf, F::Na, name, "Name of the effective user."),
    f("user.homedir", T::Charbuf, F::Na, homedir, "Home directory of the effective user."),
    f("user.shell", T::Charbuf, F::Na, shell, "Login shell of the effective user."),
    f("user.loginuid", T::Int64, F::Id, loginuid, "Id of the user who logged in, -1 if none did."),
    f("user.loginname", T::Charbuf, F::Na, loginname, "Name of the user who logged in."),
    f("group.gid", T::Uint32, F::Id, gid, "Effective group id."),
    f("group.name", T::Charbuf, F::Na, group_name, "Name of the effective group."),
];

fn uid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn homedir<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn shell<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn loginuid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn loginname<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn gid<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

fn group_name<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}
