//! From a variant to what was wrong with it: sets the scene, carries out its runs, judges each.

use std::fmt;
use std::path::Path;

use anyhow::Result;

use crate::case::Variant;
use crate::judge;
use crate::order::{self, Gap};
use crate::scene::{Outcome, Programs, Scene};

/// What came of a variant.
#[derive(Debug, Default)]
pub struct Staged {
    /// Everything that was wrong, in a sentence each.
    pub causes: Vec<String>,
    /// How long agents were without a core gateway, where that was measured.
    pub measured: Option<Measured>,
}

/// The longest time that agents were without a core gateway, beside the restart of a gateway in the same lab.
#[derive(Debug, Clone)]
pub struct Measured {
    pub gap: Gap,
    pub restart_ms: u64,
}

impl Measured {
    /// The time in restarts of a gateway.
    pub fn share(&self) -> f64 {
        self.gap.ms as f64 / self.restart_ms.max(1) as f64
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "longest time of an agent without a core gateway {} ms ({}), {:.2} restarts of {} ms",
            self.gap.ms,
            self.gap.gateway,
            self.share(),
            self.restart_ms
        )
    }
}

/// Everything that was wrong, in a sentence each; what a wrong run left is kept in the folder under this name.
pub fn complaints(
    programs: &Programs,
    variant: &Variant,
    keep: Option<(&Path, &str)>,
) -> Result<Vec<String>> {
    Ok(stage(programs, variant, keep)?.causes)
}

/// Stages a variant; what a wrong run left is kept in the folder under this name.
pub fn stage(
    programs: &Programs,
    variant: &Variant,
    keep: Option<(&Path, &str)>,
) -> Result<Staged> {
    let mut scene = Scene::set(programs, variant)?;
    let runs = || std::iter::once(&variant.run).chain(&variant.then);
    let mut staged = Staged::default();
    let is_measured = runs().any(|run| run.expect.gap_restarts.is_some());
    let restart_ms = match is_measured {
        true => Some(scene.measure_restart()?),
        false => None,
    };
    for (number, run) in runs().enumerate() {
        let outcome = scene.run(run)?;
        let mut found = judge::complaints(&scene, variant, &run.expect, &outcome)?;
        if let (Some(most), Some(restart_ms)) = (run.expect.gap_restarts, restart_ms) {
            let measured = order::longest(&outcome.events).map(|gap| Measured { gap, restart_ms });
            found.extend(too_long(measured.as_ref(), most));
            staged.measured = measured;
        }
        if let Some((folder, name)) = keep.filter(|_| !found.is_empty()) {
            keep_traces(
                folder,
                &format!("{name}.{}.{number}", variant.name),
                &scene,
                &outcome,
            )?;
        }
        staged
            .causes
            .extend(found.into_iter().map(|cause| match number {
                0 => cause,
                _ => format!("run {}: {cause}", number + 1),
            }));
    }
    Ok(staged)
}

/// 13.5: no agent is without a core gateway for longer than so many restarts of a gateway.
fn too_long(measured: Option<&Measured>, most: u32) -> Option<String> {
    let Some(measured) = measured else {
        return Some(
            "no agent was ever without a core gateway, so nothing was measured".to_owned(),
        );
    };
    (measured.share() > f64::from(most)).then(|| format!("{measured}, more than {most}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_judged_in_restarts() {
        let measured = |ms| Measured {
            gap: Gap {
                gateway: "agw0-A".to_owned(),
                ms,
            },
            restart_ms: 1000,
        };
        assert_eq!(too_long(Some(&measured(2000)), 2), None);
        assert!(too_long(Some(&measured(2001)), 2).is_some());
        assert!(too_long(None, 2).is_some());
    }
}
