//! What the language needs to know of a field.

use peregrine_event::{ParamType, PrintFormat};

/// Index of a field in its catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub u16);

/// A field's description, one row of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct FieldInfo {
    /// Full name, e.g. `proc.aname`.
    pub name: &'static str,
    /// Type of its values.
    pub ty: ParamType,
    /// How numbers print.
    pub fmt: PrintFormat,
    /// Whether it yields a list.
    pub is_list: bool,
    /// What argument it takes.
    pub arg: ArgForm,
    /// Bits of [`flag`].
    pub flags: u16,
    /// One sentence for `peregrine list fields`.
    pub doc: &'static str,
}

/// The argument a field takes, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgForm {
    /// None.
    None,
    /// `[N]`, optional: an ancestor's level or an index, decimal.
    IndexOptional,
    /// `[N]`, required.
    IndexRequired,
    /// `[KEY]`, optional.
    KeyOptional,
    /// `[KEY]`, required.
    KeyRequired,
    /// `.NAME` or `[N]`: `evt.arg`.
    ArgNameOrIndex,
    /// `.NAME`: `evt.rawarg`, `thread.cgroup`.
    DotName,
    /// `.src` or `.dst`, optional: `evt.abspath`.
    DotSide,
}

/// Bits of [`FieldInfo::flags`].
#[allow(missing_docs)]
pub mod flag {
    pub const NO_RHS: u16 = 1 << 0;
    pub const NO_TRANSFORMER: u16 = 1 << 1;
    pub const TABLE_ONLY: u16 = 1 << 2;
    pub const ARG_ALLOWED: u16 = 1 << 3;
    pub const FILTER_ONLY: u16 = 1 << 4;
    pub const DEPRECATED: u16 = 1 << 5;
    pub const ARG_REQUIRED: u16 = 1 << 6;
    pub const NO_PTR_STABILITY: u16 = 1 << 7;
    pub const PRINT_ONLY: u16 = 1 << 8;
    /// Peregrine's own: upstream has no such field.
    pub const OWN: u16 = 1 << 9;
}

/// A field with its argument, as a condition or an output uses it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRef {
    /// Which field.
    pub id: FieldId,
    /// Its argument.
    pub arg: Arg,
    /// Type of the values, which for `evt.rawarg.NAME` depends on the argument.
    pub ty: ParamType,
    /// Whether this use yields a list.
    pub is_list: bool,
}

/// A parsed argument.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Arg {
    /// None was given.
    None,
    /// A number.
    Index(u32),
    /// A text.
    Key(String),
    /// Two event codes: `evt.type.is.NAME`.
    Codes(u16, u16),
}

/// Why a field's text names no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldError {
    /// No field of that name; [`Catalogue::nearest`] may know the one meant.
    Unknown,
    /// The argument is missing, superfluous or malformed; the text is upstream's message.
    Argument(String),
}

/// The fields of an event source. The engine implements it.
pub trait Catalogue {
    /// Looks a field up by its name as written (dots and `.NAME` arguments included) and its bracket text.
    ///
    /// # Errors
    /// [`FieldError`] when there is no such field or its argument is wrong.
    fn resolve(&self, name: &str, bracket: Option<&str>) -> Result<FieldRef, FieldError>;
    /// A field's description.
    fn info(&self, id: FieldId) -> &FieldInfo;
    /// The name of the field that a misspelt one may mean. Slow, for messages alone.
    fn nearest(&self, _name: &str) -> Option<&'static str> {
        None
    }
    /// Names of asynchronous events that loaded plugins declare; they are event types too.
    fn async_events(&self) -> &[&str] {
        &[]
    }
}
