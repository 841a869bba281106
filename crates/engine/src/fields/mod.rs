//! The fields, one file a class, one row a field.
//!
//! A row is everything there is to a field: name, type, argument, flags, documentation and the function that takes its
//! value. Names, types and flags are upstream's (libs 0.44); what values mean is written beside the functions.

mod access;
mod container;
mod event;
mod fd;
mod fdlist;
mod fixed;
mod fspath;
mod general;
mod hostname;
mod io;
mod kubernetes;
mod leader;
mod lineage;
mod process;
pub mod render;
mod resolve;
mod socket;
mod thread;
mod user;
mod util;

use crate::value::{Moment, Value};
use peregrine_event::{ParamType, PrintFormat};
use peregrine_filter::field::{Arg, ArgForm, Catalogue, FieldError, FieldId, FieldInfo, FieldRef};

/// Takes a field's value from a moment; `None` if it has none.
pub type Extract = for<'a> fn(&Moment<'a>, &Arg) -> Option<Value<'a>>;

/// Whether a field without argument stands for several values in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multi {
    /// One value (or one list).
    One,
    /// The values of all ancestors from the parent up, for uses without argument: a comparison, `!=` too, is true if
    /// it holds for one of them.
    Ancestors,
    /// Both ends of a connection, or the one address of a server socket: `=`, `in` and order hold if they do for one,
    /// `!=` if it does for all. A descriptor that is no socket gives an empty list: it exists, and every other
    /// comparison is false, `!=` too.
    Ends,
}

/// One row of a field table.
#[derive(Clone, Copy)]
pub struct Field {
    /// What the language needs to know.
    pub info: FieldInfo,
    /// Where the value comes from for output.
    pub extract: Extract,
    /// How it becomes JSON.
    pub json: Json,
    /// Where it comes from for a condition if that is another place; see [`Field::for_condition`].
    condition: Option<(Multi, Extract)>,
}

pub(crate) use hostname::is_host_name;

/// How a field's value becomes JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// By its type and print format.
    Typed,
    /// As a number, whatever its print format.
    Number,
    /// As the event's time in nanoseconds, whatever its text.
    EventTime,
}

impl Field {
    const fn arg(mut self, form: ArgForm) -> Self {
        self.info.arg = form;
        self
    }

    const fn flags(mut self, flags: u16) -> Self {
        self.info.flags = flags;
        self
    }

    const fn list(mut self) -> Self {
        self.info.is_list = true;
        self
    }

    const fn multi(mut self, multi: Multi, extract: Extract) -> Self {
        self.condition = Some((multi, extract));
        self
    }

    /// Another value in conditions than in output.
    const fn raw(self, extract: Extract) -> Self {
        self.multi(Multi::One, extract)
    }

    const fn json(mut self, json: Json) -> Self {
        self.json = json;
        self
    }

    /// Where a condition takes the value from, and whether it is several: then it is a [`Value::List`].
    pub fn for_condition(&self, arg: &Arg) -> (Extract, Multi) {
        match self.condition {
            Some((Multi::Ancestors, extract)) => match arg {
                Arg::None => (extract, Multi::Ancestors),
                // Upstream ignores the level of `proc.aenv` in conditions.
                Arg::Index(_) if self.info.name == "proc.aenv" => (extract, Multi::Ancestors),
                _ => (self.extract, Multi::One),
            },
            Some((multi, extract)) => (extract, multi),
            None => (self.extract, Multi::One),
        }
    }
}

/// A row without argument and flags.
const fn f(name: &'static str, ty: ParamType, fmt: PrintFormat, extract: Extract, doc: &'static str) -> Field {
    let info = FieldInfo { name, ty, fmt, is_list: false, arg: ArgForm::None, flags: 0, doc };
    Field { info, extract, json: Json::Typed, condition: None }
}

/// For fields that never have a value here.
fn no_value<'a>(_: &Moment<'a>, _: &Arg) -> Option<Value<'a>> {
    None
}

/// What the tables use.
mod row {
    pub(super) use super::access::take;
    pub(super) use super::{Field, Json, Multi, f, no_value};
    pub(super) use crate::value::{Moment, Value};
    pub(super) use peregrine_event::{ParamType as T, PrintFormat as F};
    pub(super) use peregrine_filter::field::{Arg, ArgForm as A, flag};

    /// Flags of the fields that stand for any ancestor.
    pub(super) const ANCESTOR: u16 = flag::ARG_ALLOWED | flag::NO_TRANSFORMER | flag::NO_RHS;
    /// Flags of the fields that only conditions can use.
    pub(super) const FILTER: u16 = flag::FILTER_ONLY | flag::NO_TRANSFORMER | flag::NO_RHS;
}

/// Fields of one kind, as they are listed together.
pub struct Class {
    /// Name; upstream's.
    pub name: &'static str,
    /// What tells two classes of one name apart; may be empty.
    pub short: &'static str,
    /// What unites the fields.
    pub doc: &'static str,
    /// Whether `--list` leaves it out.
    pub hidden: bool,
    /// The fields, in the order in which they are listed.
    rows: &'static [&'static [Field]],
}

impl Class {
    const fn new(
        name: &'static str,
        short: &'static str,
        doc: &'static str,
        rows: &'static [&'static [Field]],
    ) -> Self {
        Self { name, short, doc, hidden: false, rows }
    }

    /// The fields, in the order in which they are listed.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.rows.iter().copied().flatten()
    }
}

/// All fields of system call events, by class, in the order in which they are listed.
#[rustfmt::skip]
pub const CLASSES: &[Class] = &[
    Class::new("evt", "All event types", "What every event has: number, time, source and host.", &[general::ROWS]),
    Class::new("evt", "Syscall events only", "What events of system calls have. The parameters of each are reached by name, as in evt.arg.filename.", &[event::ROWS, io::ROWS]),
    Class::new("process", "", "The process and the thread that caused the event, their ancestors, session and process group.", &[process::ROWS, lineage::ROWS, leader::ROWS, thread::ROWS]),
    Class::new("user", "", "The user whom the thread acts as.", &[user::ROWS]),
    Class::new("group", "", "The group that the thread acts as.", &[user::GROUP_ROWS]),
    Class::new("fd", "", "The descriptor that the event works on: a file, a socket or something else.", &[fd::ROWS, socket::ROWS, hostname::ROWS]),
    Class::new("fs.path", "", "Paths that file system calls work on, also those that open nothing, as unlink and rename.", &[fspath::ROWS]),
    Class { hidden: true, ..Class::new("util", "", "For measuring the engine.", &[util::ROWS]) },
    Class::new("fdlist", "", "The descriptors that poll and ppoll wait for.", &[fdlist::ROWS]),
    Class::new("container", "", "The container that the process runs in, and its pod.", &[container::ROWS, kubernetes::ROWS]),
];

/// The catalogue of the fields of system call events.
pub struct Fields {
    rows: Vec<Field>,
    /// Their places, in the order of the names.
    by_name: Vec<u16>,
    /// Names behind `static.`; their common row is the last.
    fixed: Vec<String>,
}

impl Default for Fields {
    fn default() -> Self {
        Self::syscall()
    }
}

impl Fields {
    /// Fields of the source `syscall`, container and Kubernetes fields included.
    pub fn syscall() -> Self {
        let rows: Vec<Field> = CLASSES.iter().flat_map(Class::fields).copied().collect();
        let mut by_name: Vec<u16> = (0..rows.len() as u16).collect();
        by_name.sort_by_key(|place| rows[usize::from(*place)].info.name);
        Self { rows, by_name, fixed: Vec::new() }
    }

    /// The same with `static.NAME` for each of the names, whose values are [`crate::Session::fixed`].
    pub fn with_fixed(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.fixed = names.into_iter().collect();
        if !self.fixed.is_empty() {
            let place =
                self.by_name.partition_point(|place| self.rows[usize::from(*place)].info.name < fixed::ROW.info.name);
            self.by_name.insert(place, self.rows.len() as u16);
            self.rows.push(fixed::ROW);
        }
        self
    }

    /// Names of the fields whose values are set beforehand.
    pub fn fixed(&self) -> impl Iterator<Item = String> {
        self.fixed.iter().map(|name| format!("{}{name}", fixed::PREFIX))
    }

    /// The row of a field.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.rows[usize::from(id.0)]
    }

    /// All fields with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FieldId, &Field)> {
        self.rows.iter().enumerate().map(|(index, field)| (FieldId(index as u16), field))
    }

    fn find(&self, name: &str) -> Option<(FieldId, &Field)> {
        let place = self.by_name.binary_search_by_key(&name, |place| self.rows[usize::from(*place)].info.name).ok()?;
        let id = FieldId(self.by_name[place]);
        Some((id, self.field(id)))
    }
}

impl Catalogue for Fields {
    fn resolve(&self, name: &str, bracket: Option<&str>) -> Result<FieldRef, FieldError> {
        resolve::resolve(self, name, bracket)
    }

    fn info(&self, id: FieldId) -> &FieldInfo {
        &self.field(id).info
    }

    fn nearest(&self, name: &str) -> Option<&'static str> {
        peregrine_filter::suggest::nearest(name, self.rows.iter().map(|field| field.info.name))
    }
}
