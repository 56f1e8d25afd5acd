//! The simulation finds planted faults, and gives the same run for the same seed.

use fantail_simulate::{Fault, Scenario};

/// Seeds within which each planted fault has to be found.
const SEEDS: u64 = 600;

/// Runs a scenario with a fault until it fails; returns the seed.
fn find(scenario: Scenario, fault: Fault) -> Option<u64> {
    (0..SEEDS).find(|seed| scenario.run(*seed, Some(fault), false).is_err())
}

fn planted() -> impl Iterator<Item = (Scenario, Fault)> {
    Scenario::ALL.into_iter().flat_map(|scenario| {
        scenario
            .planted()
            .iter()
            .map(move |fault| (scenario, *fault))
    })
}

#[test]
fn planted_faults_are_found() {
    let missed = planted().filter(|(scenario, fault)| {
        let found = find(*scenario, *fault);
        println!("{fault:?}: {found:?}");
        found.is_none()
    });
    let missed: Vec<_> = missed.collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn promises_are_kept_without_a_fault() {
    for scenario in Scenario::ALL {
        for seed in 0..100 {
            let failure = scenario.run(seed, None, false).err();
            assert!(failure.is_none(), "{}", failure.unwrap());
        }
    }
}

#[test]
fn a_seed_gives_the_same_run_again() {
    for (scenario, fault) in planted() {
        let Some(seed) = find(scenario, fault) else {
            continue;
        };
        let trace = || {
            let failure = scenario.run(seed, Some(fault), true).unwrap_err();
            failure.to_string()
        };
        let first = trace();
        assert!(first.lines().count() > 3, "{fault:?} has no trace");
        assert_eq!(first, trace(), "{fault:?}");
    }
}
