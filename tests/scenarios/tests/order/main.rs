//! The order properties: a recorded good log keeps them all, and every way to break one is refused by that very one.
#![allow(clippy::unwrap_used)]

use std::path::Path;

mod rolling;
mod spoil;
mod standalone;

use saslab::events::{Event, read_all};
use saslab::world::World;
use sasrun_scenarios::order::Procedure;
use serde_json::json;
use spoil::{
    Spoil, after, before, begin, end, failed, hold_against, insert, service, start, without,
};

/// Each property with ways to break it.
fn spoils() -> Vec<(&'static str, Vec<Spoil>)> {
    [
        phases_before_the_source(),
        the_source_and_the_spread(),
        the_destinations(),
        uploads_and_standing_rules(),
    ]
    .concat()
}

fn phases_before_the_source() -> Vec<(&'static str, Vec<Spoil>)> {
    let gateway_started = "opsware-sas.start @b3 argv=cgw0 stage=end";
    vec![
        (
            "source_interview_first",
            vec![
                before("installer.begin @b1", "installer.response_saved @a1"),
                after(
                    "installer.response_saved @a1",
                    "installer.response_saved @c1",
                ),
                without("installer.response_saved @a1"),
            ],
        ),
        (
            "interviews_before_stop",
            vec![
                after(
                    "installer.response_saved @c1",
                    "opsware-sas.stop stage=begin",
                ),
                before(
                    "opsware-sas.stop @a5 stage=begin",
                    "installer.response_saved @a1",
                ),
                without("installer.response_saved @b1"),
            ],
        ),
        (
            "stopped_before_unmount",
            vec![
                without("opsware-sas.stop @b2"),
                after("opsware-sas.stop @a5 stage=end", "mount.umount @c1"),
                after("opsware-sas.stop @c1 stage=end", &end("c1", "truth")),
            ],
        ),
        (
            "gateways_back_before_unmount",
            vec![
                without("opsware-sas.start @b3 argv=cgw0"),
                after(gateway_started, "mount.umount"),
                before(gateway_started, "opsware-sas.stop @b3 stage=end"),
            ],
        ),
        (
            "unmounted_before_databases",
            vec![
                after(
                    "mount.umount @c1",
                    "installer.component.begin component=^truth$",
                ),
                without("mount.umount @b2"),
                without("mount.umount"),
            ],
        ),
        (
            "databases_before_source",
            vec![
                after(&end("c1", "truth"), &begin("a1", "truth")),
                before(&begin("a1", "truth"), &end("b1", "truth")),
                failed("b1", "truth"),
                without(&begin("b1", "truth")),
            ],
        ),
        (
            "transport_before_source",
            vec![
                without("service.start @b1 service=rvrdscript"),
                insert(service("c1", "stop", "vaultdaemon"), &begin("a1", "truth")),
            ],
        ),
        (
            "only_gateways_started",
            vec![
                insert(start("a3", &["hub"]), "mount.umount"),
                insert(start("b1", &[]), &begin("b1", "truth")),
                insert(start("a1", &["vaultdaemon"]), &begin("a1", "truth")),
                insert(
                    start("c1", &["rvrdscript", "vaultdaemon"]),
                    &begin("c1", "truth"),
                ),
                insert(start("b1", &["spin"]), &begin("a1", "truth")),
            ],
        ),
        (
            "spin_down_in_destinations",
            vec![
                without("service.stop @b1 service=^spin$"),
                insert(service("c1", "start", "spin"), &begin("a2", "word")),
                insert(service("b1", "start", "spin"), "spin.mesh_state"),
            ],
        ),
    ]
}

fn the_source_and_the_spread() -> Vec<(&'static str, Vec<Spoil>)> {
    let order = [
        ("a1", "truth"),
        ("a1", "spin"),
        ("a1", "vault"),
        ("a2", "way"),
        ("a2", "word"),
        ("a3", "ogfs"),
        ("a3", "occ"),
        ("a5", "media"),
        ("a5", "buildmgr"),
        ("a4", "gateway"),
        ("a4", "boot"),
    ];
    let mut source = Vec::new();
    for pair in order.windows(2) {
        let [(first, earlier), (second, later)] = pair else {
            continue;
        };
        // Media server and build manager are free among themselves (TRAP-11).
        if *later != "buildmgr" {
            source.push(before(&begin(second, later), &end(first, earlier)));
        }
    }
    for (host, component) in order {
        source.push(without(&begin(host, component)));
        source.push(failed(host, component));
    }
    let last = "spin.mesh_state black=true";
    vec![
        ("source_in_order", source),
        (
            "source_before_spread",
            vec![after(&end("a4", "boot"), "spin.mesh_state")],
        ),
        (
            "black_before_destinations",
            vec![
                after(last, &begin("c1", "spin")),
                without("spin.mesh_state"),
                Spoil::Set("spin.mesh_state".to_owned(), "black", json!(false)),
                insert(
                    json!({"what": "spin.mesh_state", "host": "a1", "class": "read", "black": false}),
                    &begin("b1", "spin"),
                ),
            ],
        ),
        (
            "void_when_touched",
            vec![
                insert(service("a1", "stop", "spin"), &begin("b1", "spin")),
                insert(service("a4", "start", "dhcpd"), &begin("c1", "spin")),
            ],
        ),
    ]
}

fn the_destinations() -> Vec<(&'static str, Vec<Spoil>)> {
    vec![
        (
            "destinations_in_order",
            vec![
                before(&begin("b1", "vault"), &end("b1", "spin")),
                before(&begin("b1", "way"), &end("b1", "vault")),
                before(&begin("b3", "gateway"), &end("b2", "occ")),
                before(&begin("b3", "boot"), &end("b3", "gateway")),
                before(&begin("c1", "gateway"), &end("c1", "buildmgr")),
                without(&begin("c1", "media")),
                failed("b2", "word"),
            ],
        ),
        (
            "gateway_alone",
            vec![
                after(&end("b2", "occ"), &begin("b3", "gateway")),
                before(&begin("b3", "boot"), &end("b3", "gateway")),
                before(&begin("a4", "boot"), &end("a4", "gateway")),
            ],
        ),
    ]
}

fn uploads_and_standing_rules() -> Vec<(&'static str, Vec<Spoil>)> {
    let stray = |what: &str| json!({"what": what, "host": "b2", "component": "content", "result": "SUCCESS"});
    vec![
        (
            "destinations_before_content",
            vec![
                before(&begin("a2", "content"), &end("c1", "boot")),
                before(&begin("a2", "content"), &end("b3", "boot")),
                without(&begin("a2", "content")),
            ],
        ),
        (
            "content_before_stage2",
            vec![
                before(&begin("a2", "stage2"), &end("a2", "content")),
                without(&begin("a2", "stage2")),
            ],
        ),
        (
            "source_stage2_first",
            vec![
                before(&begin("b2", "stage2"), &end("a2", "stage2")),
                before(&begin("c1", "stage2"), &begin("a2", "stage2")),
            ],
        ),
        (
            "uploads_before_verification",
            vec![without("sqlplus.query @b1"), without("sqlplus.query")],
        ),
        (
            "content_exactly_once",
            vec![
                failed("a2", "content"),
                without(&begin("a2", "content")),
                Spoil::Again("a2", "content"),
                insert(stray("installer.component.begin"), &begin("a2", "stage2")),
            ],
        ),
        (
            "stage2_everywhere",
            vec![
                failed("b2", "stage2"),
                without(&begin("a2", "stage2")),
                without(&end("c1", "stage2")),
            ],
        ),
        (
            "database_always_up",
            vec![
                insert(
                    json!({"what": "opsware-oracle.stop", "host": "a1"}),
                    &begin("a1", "truth"),
                ),
                insert(service("b1", "stop", "oracle"), "mount.umount"),
            ],
        ),
        (
            "one_installer_per_host",
            vec![
                Spoil::Twice("installer.begin @b1".to_owned()),
                insert(
                    json!({"what": "installer.begin", "host": "c1"}),
                    "installer.component.end @c1",
                ),
            ],
        ),
    ]
}

fn good() -> (World, Vec<Event>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let world = World::read(&root.join("../../inventories/lab/mesh.yml"), None).unwrap();
    (
        world,
        read_all(&root.join("fixtures/whole-upgrade.jsonl")).unwrap(),
    )
}

#[test]
fn a_recorded_upgrade_keeps_every_property_and_a_spoilt_one_does_not() {
    let (world, log) = good();
    hold_against(Procedure::Multimaster, &world, &log, &spoils());
}

#[test]
fn every_property_says_what_it_wants() {
    for procedure in [
        Procedure::Multimaster,
        Procedure::Standalone,
        Procedure::Rolling,
    ] {
        let mut properties = procedure.properties().iter();
        assert!(properties.all(|property| property.says.contains(':')));
    }
}
