//! How many instructions the verifier walks for each program: a measure of what a program may cost at most, and of how
//! long loading takes. A program that outgrows its line in `instruction_budgets.txt` is either slimmed or given more in
//! the commit that says why.

use peregrine_driver::{Config, Driver, Scope};
use peregrine_event::calls;
use std::collections::BTreeMap;

#[test]
fn programs_stay_within_their_budgets() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let config = Config { scope: Scope::Tree(std::process::id()), ..Config::default() };
    let driver = Driver::load(&config).unwrap();
    let used = driver.verified_instructions();
    let (budgets, times) = (budgets(), allowance());
    let over: Vec<_> =
        used.iter().filter(|(name, used)| budgets.get(name.as_str()).is_none_or(|b| **used > b * times)).collect();
    assert!(over.is_empty(), "over budget, or without one: {over:?}");
    let here = |name: &&&str| name.strip_prefix("sys_").is_none_or(is_called);
    let gone: Vec<_> = budgets.keys().filter(here).filter(|name| !used.contains_key(**name)).collect();
    assert!(gone.is_empty(), "budgets of programs that there are not: {gone:?}");
    assert!(used.values().sum::<u32>() < 200_000 * times, "{} instructions in all", used.values().sum::<u32>());
}

/// Whether this architecture has the call whose program it is, or no call is meant.
fn is_called(program: &str) -> bool {
    let native = |row: &calls::Call| if cfg!(target_arch = "aarch64") { row.aarch64 } else { row.x86_64 };
    calls::by_name(program).is_none_or(|row| native(row) >= 0)
}

/// How many times its budget a program may use: verifiers before 6.12 find fewer of a program's states to be the same.
fn allowance() -> u32 {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < (6, 12) { 4 } else { 1 }
}

fn budgets() -> BTreeMap<&'static str, u32> {
    let lines = include_str!("../instruction_budgets.txt").lines().filter(|line| !line.starts_with('#'));
    let budget = |line: &'static str| {
        let mut words = line.split_whitespace();
        let (name, everywhere, aarch64) = (words.next()?, words.next()?, words.next());
        let here = if cfg!(target_arch = "aarch64") { aarch64.unwrap_or(everywhere) } else { everywhere };
        Some((name, here.parse().ok()?))
    };
    lines.map(|line| budget(line).expect(line)).collect()
}
