//! Precedence of variables: generated inventories and plays, carried out by both programs, with every variable looked at
//! from seven places of the play.
//!
//! Twenty cases share an inventory, a playbook and a process; their hosts, groups, roles and variables are their own.

mod batch;
mod case;
mod files;
mod site;
mod views;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::peer::{Peers, Side};
use batch::Batch;
use site::LEVELS;
use views::Views;

/// Cases that share a process.
const BATCH_CASES: usize = 20;
/// Cases after which every pair must have been contested.
const FULL_SIZE: usize = 200;
/// Pairs that are named when they are missing.
const SHOWN_PAIRS: usize = 20;
/// Levels that no variable can stand at together: a fact never sets how a host is connected to, and nothing else is both
/// a value of the command line and a variable.
const NEVER_MEET: (u8, u8) = (1, 11);

/// Runs `size` generated cases through both and prints those that differ; whether all are equal.
pub(crate) fn compare(peers: &Peers, size: usize, seed: u64, keep: &Path) -> anyhow::Result<bool> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut contested = BTreeSet::new();
    let (mut equal, mut views_count) = (0, 0);
    for (index, first) in (0..size).step_by(BATCH_CASES).enumerate() {
        let count = BATCH_CASES.min(size - first);
        let batch = Batch::generate(&mut dice, index, first, count);
        let folder = keep.join(format!("batch-{index}"));
        batch
            .write(&folder)
            .with_context(|| format!("{} cannot be written", folder.display()))?;
        let views = |side: Side| -> anyhow::Result<Views> {
            let ended = peers.call(side, "playbook", &batch.arguments(), &folder, b"")?;
            let name = format!("{side:?}.txt").to_lowercase();
            std::fs::write(folder.join(name), ended.said())?;
            Ok(Views::read(&String::from_utf8_lossy(&ended.stdout)))
        };
        let (theirs, ours) = (views(Side::Ansible)?, views(Side::Sasrun)?);
        for case in &batch.cases {
            match theirs.difference(&ours, case.number) {
                None => equal += 1,
                Some(difference) => {
                    let defined = batch.definitions(case, &difference.variable);
                    println!(
                        "differs: case {} in {}: {difference}; defined at {defined:?}",
                        case.number,
                        folder.display()
                    );
                }
            }
            contested.extend(theirs.contested(&batch, case));
        }
        views_count += theirs.count();
    }
    let pairs = usize::from(LEVELS) * usize::from(LEVELS - 1) / 2;
    let missing = missing_pairs(&contested);
    if !missing.is_empty() {
        let shown: Vec<_> = missing.iter().take(SHOWN_PAIRS).collect();
        println!(
            "{} pairs of levels were not contested: {shown:?} ...",
            missing.len()
        );
    }
    println!(
        "precedence: {equal} of {size} equal, {} of {pairs} pairs contested ({NEVER_MEET:?} cannot meet), {views_count} \
         looks, seed {seed}",
        contested.len(),
    );
    Ok(equal == size && (missing.is_empty() || size < FULL_SIZE))
}

fn missing_pairs(contested: &BTreeSet<(u8, u8)>) -> Vec<(u8, u8)> {
    let all = (1..=LEVELS).flat_map(|low| (low + 1..=LEVELS).map(move |high| (low, high)));
    all.filter(|pair| *pair != NEVER_MEET && !contested.contains(pair))
        .collect()
}
