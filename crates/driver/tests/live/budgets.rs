//! How many instructions the verifier walks for each program: a measure of what a program may cost at most, and of how
//! long loading takes. A program that outgrows its line in `instruction_budgets.txt` is either slimmed or given more in
//! the commit that says why.

use peregrine_driver::{Config, Driver, Scope};
use std::collections::BTreeMap;

#[test]
fn programs_stay_within_their_budgets() {
    let Some(_guard) = peregrine_testkit::live() else { return };
    let config = Config { scope: Scope::Tree(std::process::id()), ..Config::default() };
    let driver = Driver::load(&config).unwrap();
    let used = driver.verified_instructions();
    let budgets = budgets();
    let over: Vec<_> =
        used.iter().filter(|(name, used)| budgets.get(name.as_str()).is_none_or(|b| *used > b)).collect();
    assert!(over.is_empty(), "over budget, or without one: {over:?}");
    let gone: Vec<_> = budgets.keys().filter(|name| !used.contains_key(**name)).collect();
    assert!(gone.is_empty(), "budgets of programs that there are not: {gone:?}");
    assert!(used.values().sum::<u32>() < 200_000, "{} instructions in all", used.values().sum::<u32>());
}

fn budgets() -> BTreeMap<&'static str, u32> {
    let lines = include_str!("../instruction_budgets.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once(' ').and_then(|(name, n)| Some((name, n.trim().parse().ok()?))).expect(line))
        .collect()
}
