//! Small meshes that are drawn at random: one for each procedure. `make meshes MESHES=100` draws many, and larger ones.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use sasrun_scenarios::drawn::{self, Bounds};
use sasrun_scenarios::order::Procedure;
use sasrun_scenarios::scene::Programs;
use sasrun_scenarios::staging;

fn keeps_every_property(procedure: Procedure) {
    let drawn = drawn::draw_for(procedure, 7, Bounds { cores: 2, hosts: 2 }).unwrap();
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("meshes");
    let keep = Some((kept.as_path(), procedure.playbook()));
    let wrong = staging::complaints(&Programs::find().unwrap(), &drawn.variant, keep).unwrap();
    assert_eq!(
        wrong,
        [""; 0],
        "{}; traces in {}",
        drawn.summary,
        kept.display()
    );
}

#[test]
fn a_standalone_core_is_upgraded_in_order() {
    keeps_every_property(Procedure::Standalone);
}

#[test]
fn a_mesh_is_upgraded_in_order() {
    keeps_every_property(Procedure::Multimaster);
}

#[test]
fn a_mesh_is_upgraded_core_by_core_in_order() {
    keeps_every_property(Procedure::Rolling);
}
