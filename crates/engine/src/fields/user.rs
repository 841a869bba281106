//! Fields of the user and the group.

use super::row::*;
use peregrine_state::users::{Group, User};

#[rustfmt::skip]
pub(super) const ROWS: &[Field] = &[
    f("user.uid", T::Uint32, F::Id, uid, "Effective user id."),
    f("user.name", T::Charbuf, F::Na, name, "Name of the effective user."),
    f("user.homedir", T::Charbuf, F::Na, homedir, "Home directory of the effective user."),
    f("user.shell", T::Charbuf, F::Na, shell, "Login shell of the effective user."),
    f("user.loginuid", T::Int64, F::Id, loginuid, "Id of the user who logged in, -1 if none did."),
    f("user.loginname", T::Charbuf, F::Na, loginname, "Name of the user who logged in."),
];

/// Of the group.
#[rustfmt::skip]
pub(super) const GROUP_ROWS: &[Field] = &[
    f("group.gid", T::Uint32, F::Id, gid, "Effective group id."),
    f("group.name", T::Charbuf, F::Na, group_name, "Name of the effective group."),
];

take! {
    uid = |m| Some(Value::Uint(u64::from(m.thread()?.uid)));
    name = |m| user_text(m, m.thread()?.uid, |user| &user.name, Some(b"root"));
    homedir = |m| user_text(m, m.thread()?.uid, |user| &user.homedir, Some(b"/root"));
    shell = |m| user_text(m, m.thread()?.uid, |user| &user.shell, None);
    loginuid = |m| Some(Value::Int(match m.thread()?.loginuid {
        u32::MAX => -1,
        uid => i64::from(uid),
    }));
    loginname = |m| user_text(m, m.thread()?.loginuid, |user| &user.name, Some(b"root"));
    gid = |m| Some(Value::Uint(u64::from(m.thread()?.gid)));
    group_name = |m| {
        let thread = m.thread()?;
        let text = |group: &'a Group| &group.name[..];
        let known = m.state.group(m.container_id(thread), thread.gid).map(text);
        Some(Value::Bytes(known.unwrap_or(if thread.gid == 0 { b"root" } else { b"<NA>" })))
    };
}

/// A text of a user. For an unknown one it is `root`'s if the id is 0 and the text can be told, else `<NA>`.
fn user_text<'a>(
    m: &Moment<'a>,
    uid: u32,
    text: fn(&'a User) -> &'a Vec<u8>,
    of_root: Option<&'static [u8]>,
) -> Option<Value<'a>> {
    let known = m.state.user(m.container_id(m.thread()?), uid).map(|user| &text(user)[..]);
    let unknown = of_root.filter(|_| uid == 0).unwrap_or(b"<NA>");
    Some(Value::Bytes(known.unwrap_or(unknown)))
}
