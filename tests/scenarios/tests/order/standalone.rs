//! A core in no mesh: the source core of the recorded upgrade, taken by itself.

use serde_json::json;

use sasrun_scenarios::order::Procedure;

use super::good;
use super::spoil::{
    Spoil, after, before, begin, end, failed, hold_against, insert, service, start, without,
};

fn spoils() -> Vec<(&'static str, Vec<Spoil>)> {
    vec![
        (
            "interview_before_stop",
            vec![
                without("installer.response_saved @a1"),
                before(
                    "opsware-sas.stop @a5 stage=begin",
                    "installer.response_saved @a1",
                ),
            ],
        ),
        (
            "stopped_before_components",
            vec![
                without("opsware-sas.stop @a2"),
                after("opsware-sas.stop @a5 stage=end", &end("a1", "truth")),
            ],
        ),
        (
            "gateway_back_before_components",
            vec![without("opsware-sas.start @a4 argv=cgw0")],
        ),
        (
            "only_gateways_started",
            vec![insert(start("a3", &["hub"]), &begin("a1", "truth"))],
        ),
        (
            "core_in_order",
            vec![
                before(&begin("a1", "spin"), &end("a1", "truth")),
                before(&begin("a4", "gateway"), &end("a5", "media")),
                without(&begin("a3", "occ")),
                failed("a2", "way"),
            ],
        ),
        (
            "gateway_alone",
            vec![before(&begin("a4", "boot"), &end("a4", "gateway"))],
        ),
        (
            "components_before_content",
            vec![before(&begin("a2", "content"), &end("a4", "boot"))],
        ),
        (
            "content_exactly_once",
            vec![Spoil::Again("a2", "content"), failed("a2", "content")],
        ),
        (
            "database_always_up",
            vec![insert(
                service("a1", "stop", "oracle"),
                &begin("a1", "truth"),
            )],
        ),
        (
            "one_installer_per_host",
            vec![insert(
                json!({"what": "installer.begin", "host": "a1"}),
                "installer.component.end @a1",
            )],
        ),
    ]
}

#[test]
fn a_core_by_itself_keeps_every_property_and_a_spoilt_one_does_not() {
    let (mut world, mut log) = good();
    world.cores.retain(|core| core.source);
    log.retain(|event| world.host(&event.host).is_some());
    hold_against(Procedure::Standalone, &world, &log, &spoils());
}
