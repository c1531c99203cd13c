//! From a variant to what was wrong with it: sets the scene, carries out its runs, judges each.

use std::path::Path;

use anyhow::Result;

use crate::case::Variant;
use crate::judge;
use crate::scene::{Outcome, Programs, Scene};

/// Everything that was wrong, in a sentence each; what a wrong run left is kept in the folder under this name.
pub fn complaints(
    programs: &Programs,
    variant: &Variant,
    keep: Option<(&Path, &str)>,
) -> Result<Vec<String>> {
    let mut scene = Scene::set(programs, variant)?;
    let mut causes = Vec::new();
    for (number, run) in std::iter::once(&variant.run)
        .chain(&variant.then)
        .enumerate()
    {
        let outcome = scene.run(run)?;
        let found = judge::complaints(&scene, variant, &run.expect, &outcome)?;
        if let Some((folder, name)) = keep.filter(|_| !found.is_empty()) {
            keep_traces(
                folder,
                &format!("{name}.{}.{number}", variant.name),
                &scene,
                &outcome,
            )?;
        }
        causes.extend(found.into_iter().map(|cause| match number {
            0 => cause,
            _ => format!("run {}: {cause}", number + 1),
        }));
    }
    Ok(causes)
}

fn keep_traces(folder: &Path, name: &str, scene: &Scene, outcome: &Outcome) -> Result<()> {
    let name = name.replace([' ', '/'], "-");
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(format!("{name}.out")), &outcome.output)?;
    std::fs::copy(
        scene.lab.state.events(),
        folder.join(format!("{name}.jsonl")),
    )?;
    let changes = outcome.before.differences(&outcome.after).join("\n");
    std::fs::write(folder.join(format!("{name}.changes")), changes)?;
    Ok(())
}
