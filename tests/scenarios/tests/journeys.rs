//! The upgrade from end to end: the real program, the real plugins, a lab of three cores.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use sasrun_scenarios::case::Case;
use sasrun_scenarios::scene::Programs;
use sasrun_scenarios::staging;

fn travel(journey: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("journeys");
    let case = Case::read(&folder.join(format!("{journey}.yml"))).unwrap();
    let programs = Programs::find().unwrap();
    for variant in &case.variants {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("journeys");
        let wrong = staging::complaints(&programs, variant, Some((&kept, journey))).unwrap();
        assert_eq!(
            wrong,
            [""; 0],
            "{}; traces in {}",
            case.title,
            kept.display()
        );
    }
}

#[test]
fn the_whole_mesh_is_foretold_upgraded_in_order_and_then_left_alone() {
    travel("whole-mesh");
}

#[test]
fn one_core_is_refused_too_early_and_done_alone_in_time() {
    travel("one-core");
}
