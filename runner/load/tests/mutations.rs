//! Good files, broken in one place: each is refused with the broken line named, and none makes the
//! loader panic. A failure prints the seed; `MUTATION_SEED=n` runs that one alone.
#![allow(clippy::unwrap_used)]

mod mutants;
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mutants::{Good, Kind, good_files, mutant};
use sasrun_model::Diagnostic;

const MUTANTS: usize = 300;

/// Where the good files are.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/good")
}

fn load(directory: &Path, good: &Good, text: &str) -> Result<(), Vec<Diagnostic>> {
    let path = directory.join(good.name);
    std::fs::write(&path, text).unwrap();
    let loader = support::loader();
    match good.kind {
        Kind::Playbook => loader.load_playbook(&path).map(drop),
        _ => loader.load_inventory(&[path.to_str().unwrap()]).map(drop),
    }
}

#[test]
fn the_broken_line_is_the_line_that_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("more.yml"), "- ping:\n").unwrap();
    let files = good_files(&root());
    for good in &files {
        load(directory.path(), good, &good.text).unwrap();
    }
    let only = std::env::var("MUTATION_SEED").ok();
    let only: Option<u64> = only.and_then(|seed| seed.parse().ok());
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in 1..100_000 {
        if made.values().sum::<usize>() == MUTANTS {
            break;
        }
        let wanted = only.is_none_or(|only| only == seed);
        let Some(mutant) = wanted.then(|| mutant(seed, &files)).flatten() else {
            continue;
        };
        // A mutant that is still valid is thrown away.
        let Err(found) = load(directory.path(), mutant.good, &mutant.text) else {
            continue;
        };
        *made.entry(mutant.class).or_default() += 1;
        let what = format!(
            "seed {seed}: {} in {} line {}",
            mutant.class, mutant.good.name, mutant.line
        );
        println!("{what}");
        let mut named = found
            .iter()
            .filter_map(|one| Some(one.place.as_ref()?.line));
        if !named.any(|line| line as usize == mutant.line) {
            let told = support::describe_all(directory.path(), &found);
            wrong.push(format!("{what}\n{told}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {MUTANTS}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    if only.is_none() {
        assert_eq!(made.values().sum::<usize>(), MUTANTS);
        assert!(made.len() >= 20, "{} classes: {made:?}", made.len());
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Bytes that are cut, doubled and swapped at random.
    #[test]
    fn no_damage_makes_it_panic(file in 0_usize..3, cuts in proptest::collection::vec((0.0_f64..1.0, 0_u8..4, proptest::prelude::any::<u8>()), 1..6)) {
        let directory = tempfile::tempdir().unwrap();
        let files = good_files(&root());
        let good = &files[file];
        let mut bytes = good.text.clone().into_bytes();
        for (at, what, byte) in cuts {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let at = (bytes.len() as f64 * at) as usize;
            match what {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), byte),
                2 => { let tail = bytes[at.min(bytes.len())..].to_vec(); bytes.extend(tail); }
                _ => if let Some(there) = bytes.get_mut(at) { *there = byte; },
            }
        }
        let path = directory.path().join(good.name);
        std::fs::write(&path, &bytes).unwrap();
        let loader = support::loader();
        let _ = loader.load_playbook(&path);
        let _ = loader.load_inventory(&[path.to_str().unwrap()]);
    }
}
