//! Random conditions over real events: the compiled graph must agree with the plain interpreter.

use crate::{reference, replay};
use bumpalo::Bump;
use peregrine_alert::Priority;
use peregrine_engine::explain::Tracer;
use peregrine_engine::fields::Fields;
use peregrine_engine::{Engine, EventNeeds, Matching, Moment, Rule, Session, Value};
use peregrine_event::{ParamType, code};
use peregrine_filter::ast::{Modifier, Op, Span};
use peregrine_filter::events::CodeSet;
use peregrine_filter::field::{Arg, ArgForm, FieldRef, flag};
use peregrine_filter::typed::{Check, Const, Expr, Operand, Rhs, Transformer};

/// Conditions that are tried on every event.
const RULES: usize = 60;

/// Every so many events are tried, so that a few hundred come from each capture.
const EVENTS_PER_CAPTURE: usize = 150;

/// xorshift64*: the same conditions on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

/// A field and values that it had on real events.
struct Sample {
    field: FieldRef,
    values: Vec<Const>,
}

/// Values of all usable fields over some events.
fn samples(fields: &Fields, paths: &[std::path::PathBuf]) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    for (id, row) in fields.iter() {
        let args: &[Arg] = match row.info.arg {
            ArgForm::None => &[Arg::None],
            ArgForm::IndexOptional => &[Arg::None, Arg::Index(1), Arg::Index(2)],
            ArgForm::KeyOptional | ArgForm::DotSide => &[Arg::None],
            _ => continue,
        };
        // `util.cnt` is another number each time it is asked for.
        if row.info.flags & flag::PRINT_ONLY != 0 || row.info.name == "util.cnt" {
            continue;
        }
        for arg in args {
            let is_list = row.info.is_list;
            let field = FieldRef { id, arg: arg.clone(), ty: row.info.ty, is_list };
            samples.push(Sample { field, values: Vec::new() });
        }
    }
    let session = Session::default();
    for path in paths {
        let mut count = 0;
        replay::events(path, &session, |moment| {
            count += 1;
            if count % 97 != 0 {
                return;
            }
            for sample in &mut samples {
                let (extract, _) = fields.field(sample.field.id).for_condition(&sample.field.arg);
                if let Some(value) = extract(moment, &sample.field.arg) {
                    keep(value, sample);
                }
            }
        });
    }
    samples.retain(|sample| !sample.values.is_empty());
    samples
}

fn keep(value: Value<'_>, sample: &mut Sample) {
    let constant = match value {
        Value::Bytes(bytes) => Const::Bytes(bytes.to_vec()),
        Value::Int(n) => Const::Int(n),
        Value::Uint(n) => Const::Uint(n),
        Value::Double(n) => Const::Double(n),
        Value::Bool(b) => Const::Bool(b),
        Value::Ip(ip) => Const::Ip(ip),
        Value::List(values) => return values.iter().for_each(|value| keep(*value, sample)),
    };
    if sample.values.len() < 200 && !sample.values.contains(&constant) {
        sample.values.push(constant);
    }
}

fn condition(random: &mut Random, samples: &[Sample], depth: usize) -> Expr {
    match random.below(if depth == 0 { 1 } else { 5 }) {
        0 => Expr::Check(check(random, samples)),
        1 => Expr::Not(Box::new(condition(random, samples, depth - 1))),
        2 | 3 => Expr::And(several(random, samples, depth)),
        _ => Expr::Or(several(random, samples, depth)),
    }
}

fn several(random: &mut Random, samples: &[Sample], depth: usize) -> Vec<Expr> {
    (0..2 + random.below(4)).map(|_| condition(random, samples, depth - 1)).collect()
}

fn check(random: &mut Random, samples: &[Sample]) -> Check {
    let sample = random.pick(samples);
    let field = Operand::Field(sample.field.clone());
    let made = |lhs, op, modifier, rhs| Check { lhs, op, modifier, rhs, span: Span::default() };
    if random.chance(8) {
        return made(field, Op::Exists, None, Rhs::None);
    }
    if sample.field.is_list {
        let op = *random.pick(&[Op::In, Op::Intersects]);
        return made(field, op, None, Rhs::Consts(constants(random, sample, 4)));
    }
    match sample.values[0] {
        Const::Bytes(_) => text_check(random, sample, samples, field),
        Const::Bool(_) => made(field, *random.pick(&[Op::Eq, Op::Ne]), None, Rhs::Consts(constants(random, sample, 1))),
        Const::Ip(_) => address_check(random, sample, field),
        _ => {
            let op = *random.pick(&[Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::In]);
            let count = if op == Op::In { 5 } else { 1 };
            made(field, op, None, Rhs::Consts(constants(random, sample, count)))
        }
    }
}

fn address_check(random: &mut Random, sample: &Sample, lhs: Operand) -> Check {
    let mut consts = constants(random, sample, 3);
    if sample.field.ty == ParamType::Ipnet {
        for c in &mut consts {
            if let Const::Ip(ip) = *c {
                let most = if ip.is_ipv4() { 33 } else { 129 };
                *c = Const::Net(ip, random.below(most) as u8);
            }
        }
    }
    let op = *random.pick(&[Op::Eq, Op::Ne, Op::In]);
    if op != Op::In {
        consts.truncate(1);
    }
    Check { lhs, op, modifier: None, rhs: Rhs::Consts(consts), span: Span::default() }
}

const TEXT_OPS: &[Op] = &[
    Op::Eq,
    Op::Ne,
    Op::Contains,
    Op::Icontains,
    Op::Startswith,
    Op::Endswith,
    Op::Glob,
    Op::Iglob,
    Op::Regex,
    Op::In,
    Op::Pmatch,
    Op::Lt,
    Op::Ge,
];

fn text_check(random: &mut Random, sample: &Sample, samples: &[Sample], lhs: Operand) -> Check {
    let op = *random.pick(TEXT_OPS);
    let listed = matches!(op, Op::In | Op::Pmatch);
    let ordered = matches!(op, Op::Lt | Op::Ge);
    let modifiers = [Modifier::Anyof, Modifier::Allof, Modifier::Oneof];
    let modifier = (!listed && !ordered && random.chance(30)).then(|| *random.pick(&modifiers));
    let count = if listed || modifier.is_some() { 4 } else { 1 };
    let texts = constants(random, sample, count).into_iter().map(|c| shaped(random, op, c)).collect();
    let mut rhs = Rhs::Consts(texts);
    let plain = !matches!(op, Op::Pmatch | Op::Regex | Op::Glob | Op::Iglob);
    let other = random.pick(samples);
    let same_type = other.field.ty == sample.field.ty && !other.field.is_list;
    if plain && modifier.is_none() && same_type && random.chance(40) {
        rhs = Rhs::Operand(Operand::Field(other.field.clone()));
    }
    Check { lhs: transformed(random, lhs), op, modifier, rhs, span: Span::default() }
}

fn transformed(random: &mut Random, lhs: Operand) -> Operand {
    let plain = matches!(&lhs, Operand::Field(field) if field.arg == Arg::None);
    if !plain || !random.chance(15) {
        return lhs;
    }
    let kind = *random.pick(&[Transformer::Toupper, Transformer::Tolower, Transformer::Basename, Transformer::B64]);
    Operand::Transform { kind, args: vec![lhs], arg: None }
}

/// A constant made of a value, so that the operator has something to say about it.
fn shaped(random: &mut Random, op: Op, constant: Const) -> Const {
    let Const::Bytes(bytes) = constant else { return constant };
    let cut = random.below(bytes.len() + 1);
    Const::Bytes(match op {
        Op::Contains | Op::Icontains => bytes[cut / 2..cut].to_vec(),
        Op::Startswith => bytes[..cut].to_vec(),
        Op::Endswith => bytes[cut..].to_vec(),
        Op::Glob | Op::Iglob => {
            let mut pattern: Vec<u8> = bytes.into_iter().filter(|b| !b"[]\\".contains(b)).take(12).collect();
            if !pattern.is_empty() {
                let at = random.below(pattern.len());
                pattern[at] = *random.pick(b"*?");
            }
            pattern.push(b'*');
            pattern
        }
        Op::Regex => {
            let mut pattern: Vec<u8> = bytes.into_iter().filter(u8::is_ascii_alphanumeric).take(4).collect();
            pattern.splice(0..0, *b".*");
            pattern.extend_from_slice(b".*");
            pattern
        }
        Op::Pmatch => match bytes[..cut].iter().rposition(|b| *b == b'/') {
            Some(at) => bytes[..at].to_vec(),
            None => bytes,
        },
        _ => bytes,
    })
}

fn constants(random: &mut Random, sample: &Sample, most: usize) -> Vec<Const> {
    let count = if most == 1 { 1 } else { random.below(most + 1) };
    (0..count).map(|_| random.pick(&sample.values).clone()).collect()
}

fn rule(number: usize, condition: Expr) -> Rule {
    Rule {
        name: format!("rule {number}"),
        priority: Priority::Notice,
        source: "syscall".into(),
        tags: Vec::new(),
        condition,
        codes: CodeSet::all(code::COUNT),
    }
}

#[test]
fn the_graph_agrees_with_the_interpreter() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let mut paths: Vec<_> = std::fs::read_dir(corpus.join("captures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "scap") && path.metadata().unwrap().len() < 24_000)
        .chain(["deeds_a", "deeds_c", "syscalls_a"].map(|name| corpus.join(format!("newest/{name}.scap"))))
        .collect();
    paths.sort();
    let fields = Fields::syscall();
    let samples = samples(&fields, &paths);
    assert!(samples.len() > 100, "only {} fields have values", samples.len());
    let (mut pairs, mut hits) = (0, 0);
    for (seed, path) in (1..).zip(&paths) {
        let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let rules: Vec<Rule> = (0..RULES).map(|n| rule(n, condition(&mut random, &samples, 3))).collect();
        let mut engine = Engine::new(rules, &fields, Matching::All).unwrap();
        let (session, mut count) = (Session::default(), 0);
        replay::events(path, &session, |moment| {
            count += 1;
            if count % 7 == 0 && count / 7 < EVENTS_PER_CAPTURE {
                let found = engine.evaluate(moment).to_vec();
                hits += found.len();
                assert!(found.is_empty() || needed(engine.needs(), moment), "{} is needed", moment.event.info().name);
                pairs += agree(engine.rules(), &found, &fields, moment);
            }
        });
    }
    println!("{pairs} pairs of condition and event, {hits} of them true");
    assert!(pairs >= 20_000 && hits * 20 > pairs && hits < pairs, "{pairs} pairs, {hits} true");
}

/// Whether an event is one that the rules are said to need.
fn needed(needs: &EventNeeds, moment: &Moment<'_>) -> bool {
    let event = moment.event;
    let generic = event.code <= code::GENERIC_X;
    let failed = event.int(0).is_some_and(|result| result < 0);
    needs.codes.contains(event.code)
        && (!generic || needs.generic_calls.contains(event.uint(0).unwrap_or(0) as u16))
        && !(failed && needs.success_only.contains(event.code))
}

#[test]
fn stock_rules_match_only_what_they_need() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let fields = Fields::syscall();
    let rules = crate::answers::stock_rules(&corpus, &fields);
    let mut tracers: Vec<Tracer> = rules.iter().map(|rule| Tracer::new(rule, &fields).unwrap()).collect();
    let mut engine = Engine::new(rules, &fields, Matching::All).unwrap();
    let reads = [code::SYSCALL_READ_X, code::SYSCALL_CLOSE_X, code::SYSCALL_MMAP_X];
    assert!(reads.iter().all(|code| !engine.needs().codes.contains(*code)), "no rule needs reads");
    assert!(engine.needs().codes.contains(code::SYSCALL_OPENAT_2_X));
    assert!(engine.needs().codes.len() < 120, "{:?}", engine.needs().codes);
    let (session, mut hits) = (Session::default(), 0);
    for name in ["deeds_a", "deeds_c", "syscalls_a"] {
        replay::events(&corpus.join(format!("newest/{name}.scap")), &session, |moment| {
            let found = engine.evaluate(moment).to_vec();
            assert!(found.is_empty() || needed(engine.needs(), moment));
            for rule in &found {
                let trace = tracers[*rule as usize].trace(moment);
                assert!(trace.holds && trace.first_false().is_none(), "{}", engine.rules()[*rule as usize].name);
            }
            // What did not match has a part that says why.
            let other = moment.context.num as usize % tracers.len();
            let missed = tracers[other].applies(moment) && !found.contains(&(other as u32));
            assert!(!missed || tracers[other].trace(moment).first_false().is_some());
            hits += found.len();
        });
    }
    assert!(hits > 100, "{hits} matches");
}

#[test]
fn evaluation_allocates_nothing() {
    let Some(corpus) = peregrine_testkit::corpus() else { return };
    let fields = Fields::syscall();
    let mut engine = Engine::new(crate::answers::stock_rules(&corpus, &fields), &fields, Matching::All).unwrap();
    let session = Session::default();
    let mut scratch = Bump::with_capacity(1 << 20);
    let capture = corpus.join("newest/deeds_a.scap");
    // Regular expressions make their caches when they are first used.
    replay::events(&capture, &session, |moment| {
        engine.evaluate(moment);
    });
    replay::events(&capture, &session, |moment| {
        scratch.reset();
        let moment = Moment { scratch: &scratch, ..*moment };
        let allocated = allocation_counter::measure(|| {
            engine.evaluate(&moment);
        });
        assert_eq!(allocated.count_total, 0, "{} {}", moment.event.info().name, moment.context.num);
    });
    assert!(engine.figures().evaluated > 100);
}

fn agree(rules: &[Rule], found: &[u32], fields: &Fields, moment: &Moment<'_>) -> usize {
    for (index, rule) in rules.iter().enumerate() {
        let expected = reference::holds(&rule.condition, fields, moment);
        let event = moment.event.info().name;
        assert_eq!(found.contains(&(index as u32)), expected, "{event} {}: {:#?}", moment.context.num, rule.condition);
    }
    rules.len()
}
