//! A rolling upgrade of two cores with a satellite each, as recorded in the lab.

use std::path::Path;

use saslab::events::read_all;
use saslab::world::World;
use sasrun_scenarios::case::{Case, lay_over};
use sasrun_scenarios::order::{self, Procedure};
use serde_json::json;

use super::spoil::{
    Spoil, after, before, begin, end, failed, hold_against, insert, service, without,
};

fn spoils() -> Vec<(&'static str, Vec<Spoil>)> {
    let down = "opsware-sas.stop @s1 stage=begin";
    let lost =
        json!({"what": "agents.tunnels", "host": "sat1", "gateway": "sat1", "connected": []});
    let elsewhere = json!({"what": "agents.tunnels", "host": "d1", "gateway": "agw0-D", "connected": ["cgw0-S"]});
    let last = "service.start @d1 service=agw0";
    vec![
        (
            "tunnels_before_stop",
            vec![
                Spoil::Set(
                    "agents.tunnels @sat1".to_owned(),
                    "connected",
                    json!(["cgw0-S"]),
                ),
                Spoil::Set(
                    "agents.tunnels @d1".to_owned(),
                    "connected",
                    json!(["cgw0-D"]),
                ),
                before(down, "agents.tunnels @sat2"),
                without("opsware-sas.stop"),
            ],
        ),
        (
            "first_core_first",
            vec![
                before("opsware-sas.stop @d1 stage=begin", &begin("s1", "stage2")),
                before(&begin("d1", "truth"), &end("s1", "boot")),
            ],
        ),
        (
            "down_before_components",
            vec![
                without("opsware-sas.stop @d1"),
                after("opsware-sas.stop @s1 stage=end", &begin("s1", "truth")),
            ],
        ),
        (
            "cores_in_order",
            vec![
                before(&begin("d1", "vault"), &end("d1", "spin")),
                before(&begin("s1", "gateway"), &end("s1", "media")),
                without(&begin("d1", "boot")),
                failed("s1", "word"),
            ],
        ),
        (
            "one_core_up",
            vec![
                insert(service("d1", "stop", "spin"), &begin("s1", "spin")),
                insert(service("s1", "stop", "hub"), &begin("d1", "occ")),
            ],
        ),
        (
            "all_up_at_the_end",
            vec![without("service.start @s1 service=^smb$")],
        ),
        ("agents_come_back", vec![append(lost)]),
        (
            "agents_at_home",
            vec![append(elsewhere), without("agents.tunnels @s1")],
        ),
        (
            "gateway_alone",
            vec![before(&begin("d1", "boot"), &end("d1", "gateway"))],
        ),
        (
            "content_exactly_once",
            vec![Spoil::Again("s1", "content"), failed("s1", "content")],
        ),
        (
            "stage2_everywhere",
            vec![failed("d1", "stage2"), without(&begin("s1", "stage2"))],
        ),
        (
            "database_always_up",
            vec![insert(service("d1", "stop", "oracle"), last)],
        ),
        (
            "one_installer_per_host",
            vec![insert(
                json!({"what": "installer.begin", "host": "d1"}),
                "installer.component.end @d1",
            )],
        ),
    ]
}

/// Something that nobody did, after everything else.
fn append(event: serde_json::Value) -> Spoil {
    Spoil::Append(event)
}

fn recorded() -> (World, Vec<saslab::events::Event>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("meshes/pair.yml")).unwrap();
    let mut mesh = serde_yaml::from_str(&text).unwrap();
    let case = Case::read(&root.join("cases/S-107.yml")).unwrap();
    lay_over(&mut mesh, &case.variants[0].mesh);
    let text = serde_yaml::to_string(&mesh).unwrap();
    let world = World::parse(&text, Path::new("mesh.yml"), None).unwrap();
    let log = read_all(&root.join("fixtures/rolling-upgrade.jsonl")).unwrap();
    (world, log)
}

#[test]
fn a_recorded_rolling_upgrade_keeps_every_property_and_a_spoilt_one_does_not() {
    let (world, log) = recorded();
    hold_against(Procedure::Rolling, &world, &log, &spoils());
}

#[test]
fn the_longest_time_without_a_core_gateway_is_found() {
    let (_, log) = recorded();
    let longest = order::longest(&log).unwrap();
    let all = log
        .iter()
        .filter_map(|event| event.details.get("gap_ms")?.as_u64());
    assert_eq!(Some(longest.ms), all.max());
    assert!(order::longest(&[]).is_none());
}
