//! The conversion table keeps its promises, row by row.

use super::*;
use peregrine_event::{EventWriter, ParamType};

fn event(tid: i64, code: u16, params: &[&[u8]]) -> Vec<u8> {
    let mut writer = EventWriter::new(77, tid, code);
    for param in params {
        writer.push(param);
    }
    writer.finish()
}

fn convert(converter: &mut Converter, bytes: &[u8]) -> Outcome {
    converter.convert(&Event::parse(bytes, 0).unwrap()).unwrap()
}

#[test]
fn rows_are_sorted_and_found() {
    assert!(table::ROWS.is_sorted_by_key(|row| (row.code, row.nparams)));
    for row in &table::ROWS {
        assert!(table::find(row.code, usize::from(row.nparams)).is_some());
    }
    assert!(table::find(code::SYSCALL_CLOSE_X, 2).is_none());
}

#[test]
fn rows_lead_to_the_schema() {
    for row in &table::ROWS {
        let (code, keep, sources): (u16, usize, &[Source]) = match row.action {
            Action::Add(sources) => (row.code, usize::from(row.nparams), sources),
            Action::Change(code, sources) => (code, 0, sources),
            _ => continue,
        };
        let info = info(code).unwrap();
        assert!(keep + sources.len() <= info.params.len(), "{}: more parameters than the schema", info.symbol);
        for source in sources {
            if let Source::Old(index) = source {
                assert!(*index < row.nparams, "{}: no parameter {index}", info.symbol);
            }
        }
    }
}

/// Every old form ends as today's event with today's number of parameters, or is dropped; never in an error.
#[test]
fn every_row_ends_in_todays_form() {
    for row in &table::ROWS {
        let params = vec![&[1u8, 0, 0, 0, 0, 0, 0, 0][..]; usize::from(row.nparams)];
        let mut converter = Converter::default();
        if convert(&mut converter, &event(5, row.code, &params)) != Outcome::Converted {
            continue;
        }
        let after = Event::parse(converter.bytes(), 0).unwrap();
        assert_eq!(after.nparams(), after.info().params.len(), "row {}/{}", row.code, row.nparams);
        let last = table::find(after.code, after.nparams());
        let given = matches!(last, None | Some(Action::Pass | Action::StoreAndPass));
        assert!(given && !after.info().has(eflags::EF_UNUSED), "{}", after.info().symbol);
        assert_eq!((after.ts, after.tid), (77, 5));
    }
}

/// With its enter event before it, every exit event of the table takes the arguments from there.
#[test]
fn exits_take_their_enters_parameters() {
    for row in &table::ROWS {
        let (Action::Add(sources) | Action::Change(_, sources)) = row.action else { continue };
        let wanted = sources.iter().filter_map(|s| match s {
            Source::Enter(index) | Source::EnterOrEmpty(index) => Some(*index),
            _ => None,
        });
        let Some(most) = wanted.max() else { continue };
        let enter = table::ROWS
            .iter()
            .filter(|r| r.code + 1 == row.code)
            .find(|r| r.nparams > most && matches!(r.action, Action::Store | Action::StoreAndPass));
        let enter = enter.unwrap_or_else(|| panic!("nothing stores the enter event of {}", row.code));
        let mut converter = Converter::default();
        let marked = vec![&[7u8; 8][..]; usize::from(enter.nparams)];
        convert(&mut converter, &event(5, enter.code, &marked));
        let plain = vec![&[1u8, 0, 0, 0, 0, 0, 0, 0][..]; usize::from(row.nparams)];
        assert_eq!(convert(&mut converter, &event(5, row.code, &plain)), Outcome::Converted);
        let after = Event::parse(converter.bytes(), 0).unwrap();
        let taken = (0..after.nparams()).any(|i| after.value(i).is_some_and(|v| v.iter().all(|b| *b == 7)));
        assert!(taken, "{} took nothing from its enter event", after.info().symbol);
    }
}

#[test]
fn close_gets_its_descriptor_once() {
    let mut converter = Converter::default();
    let exit = event(5, code::SYSCALL_CLOSE_X, &[&0i64.to_le_bytes()]);
    assert_eq!(convert(&mut converter, &event(5, code::SYSCALL_CLOSE_E, &[&9i64.to_le_bytes()])), Outcome::Drop);
    assert_eq!(convert(&mut converter, &exit), Outcome::Converted);
    assert_eq!(Event::parse(converter.bytes(), 0).unwrap().int(1), Some(9));
    assert_eq!(convert(&mut converter, &exit), Outcome::Converted);
    assert_eq!(Event::parse(converter.bytes(), 0).unwrap().int(1), Some(0), "without an enter event: the default");
    assert_eq!(converter.stats().without_enter, 1);
}

#[test]
fn another_calls_enter_counts_as_lost() {
    let mut converter = Converter::default();
    convert(&mut converter, &event(5, code::SYSCALL_READ_E, &[&9i64.to_le_bytes(), &4u32.to_le_bytes()]));
    let exit = event(5, code::SYSCALL_CLOSE_X, &[&0i64.to_le_bytes()]);
    assert_eq!(convert(&mut converter, &exit), Outcome::Converted);
    assert_eq!(converter.stats().mismatched, 1);
}

#[test]
fn default_ids_are_none() {
    use plan::Piece;
    let default = |ty| Piece::of(From::Nowhere).or_default(Some(ty));
    let bytes = |piece: Piece| (piece.fill, piece.filled);
    assert_eq!(bytes(default(ParamType::Uid)), (0xff, 4));
    assert_eq!(bytes(default(ParamType::Errno)), (0, 8));
    assert_eq!(bytes(default(ParamType::Charbuf)), (0, 0));
}

fn every_form() -> impl Iterator<Item = (u16, usize)> {
    (0..code::COUNT as u16).flat_map(|code| (0..=info(code).unwrap().params.len()).map(move |nparams| (code, nparams)))
}

/// The table taken step by step, each step writing a whole event: what the plans must agree with.
struct Steps<'a> {
    code: u16,
    params: Vec<Vec<u8>>,
    enter: Option<(u16, &'a [Vec<u8>])>,
}

impl Steps<'_> {
    fn run(mut self) -> Option<(u16, Vec<Vec<u8>>)> {
        loop {
            if passes(self.code, self.params.len() as u32) {
                return Some((self.code, self.params));
            }
            match table::find(self.code, self.params.len())? {
                Action::Add(sources) => {
                    let old = (0..self.params.len()).map(|n| self.params[n].clone()).collect();
                    self.step(self.code, old, sources);
                }
                Action::Change(to, sources) => self.step(to, Vec::new(), sources),
                Action::Pass | Action::StoreAndPass => return Some((self.code, self.params)),
                Action::Store | Action::Drop => return None,
            }
        }
    }

    fn step(&mut self, to: u16, mut made: Vec<Vec<u8>>, sources: &[Source]) {
        let params = info(to).unwrap().params;
        let enter = self.enter.filter(|(code, _)| code + 1 == self.code).map(|(_, params)| params);
        let mut asked = false;
        for source in sources {
            let ty = params[made.len()].ty;
            let size = ty.fixed_size().unwrap_or(0);
            let default = vec![if matches!(ty, ParamType::Uid | ParamType::Gid) { 0xff } else { 0 }; size];
            asked |= matches!(source, Source::Enter(_) | Source::EnterOrEmpty(_));
            let taken = |index: &u8| enter.and_then(|enter| enter.get(usize::from(*index)).cloned());
            let mut value = match source {
                Source::Old(index) => self.params.get(usize::from(*index)).cloned().unwrap_or_default(),
                Source::Enter(index) => taken(index).unwrap_or(default),
                Source::EnterOrEmpty(index) => taken(index).unwrap_or_default(),
                Source::Default => default,
                Source::Empty | Source::ContainerJson => Vec::new(),
            };
            value.truncate(ty.fixed_size().unwrap_or(usize::MAX));
            made.push(value);
        }
        // Those that are kept are cut as well.
        for (value, param) in made.iter_mut().zip(params) {
            value.truncate(param.ty.fixed_size().unwrap_or(usize::MAX));
        }
        (self.code, self.params) = (to, made);
        if asked && enter.is_some() {
            self.enter = None;
        }
    }
}

#[test]
fn plans_do_what_the_table_says_step_by_step() {
    let mut converted = 0;
    for (code, nparams) in every_form().filter(|(code, _)| *code != code::CONTAINER_E) {
        // Longer than any type of fixed size, so that cutting shows; each different from the others.
        for len in [0usize, 3, 8, 20] {
            let values = |mark: u8, count: usize| -> Vec<Vec<u8>> {
                (0..count).map(|n| (0..len).map(|b| mark + (n * 20 + b) as u8 % 100).collect()).collect()
            };
            let params = values(1, nparams);
            for enter in [None, Some(code.wrapping_sub(1)), Some(code::SYSCALL_EXECVE_19_E), Some(code::SYSCALL_READ_E)]
            {
                let stored = enter.filter(|enter| *enter < code).and_then(|enter| {
                    let row = table::ROWS
                        .iter()
                        .find(|row| row.code == enter && matches!(row.action, Action::Store | Action::StoreAndPass))?;
                    Some((enter, values(120, usize::from(row.nparams))))
                });
                let mut converter = Converter::default();
                if let Some((code, params)) = &stored {
                    let params: Vec<&[u8]> = params.iter().map(|p| &p[..]).collect();
                    convert(&mut converter, &event(5, *code, &params));
                }
                let bytes = event(5, code, &params.iter().map(|p| &p[..]).collect::<Vec<_>>());
                let Ok(Outcome::Converted) = converter.convert(&Event::parse(&bytes, 0).unwrap()) else { continue };
                let after = Event::parse(converter.bytes(), 0).unwrap();
                let got = (after.code, after.params().map(<[u8]>::to_vec).collect::<Vec<_>>());
                let enter = stored.as_ref().map(|(code, params)| (*code, &params[..]));
                let want = Steps { code, params: params.clone(), enter }.run();
                assert_eq!(Some(got), want, "{code}/{nparams}");
                converted += 1;
            }
        }
    }
    assert!(converted > 1000, "{converted}");
}

#[test]
fn containers_become_json() {
    let mut converter = Converter::default();
    let old = event(5, code::CONTAINER_E, &[b"3ad7b26ded6d\0", &0u32.to_le_bytes(), b"a\"b\0", b"alpine\0"]);
    assert_eq!(convert(&mut converter, &old), Outcome::Converted);
    let after = Event::parse(converter.bytes(), 0).unwrap();
    assert_eq!(after.code, code::CONTAINER_JSON_2_E);
    let text = br#"{"id":"3ad7b26ded6d","type":0,"name":"a\"b","image":"alpine"}"#;
    assert_eq!(after.text(0), Some(&text[..]));
}

#[test]
fn refusals_name_the_event() {
    let mut converter = Converter::default();
    let many = event(5, code::SYSCALL_CLOSE_X, &[&[0; 8][..]; 3]);
    let error = converter.convert(&Event::parse(&many, 0).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "event SYSCALL_CLOSE_X has 3 parameters, the schema has 2");
    let none = event(5, code::SYSCALL_CLOSE_X, &[]);
    let error = converter.convert(&Event::parse(&none, 0).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "no conversion for event SYSCALL_CLOSE_X with 0 parameters");
}
