//! Meshes that are drawn at random: cores, hosts, components spread over them, satellites, and what is done with each.
//!
//! A seed and a number always make the same mesh. Everything drawn is one that an inventory may describe.

use anyhow::Result;
use serde_json::{Value, json};

use crate::case::Variant;
use crate::order::Procedure;

/// Most cores of a mesh, and most hosts of a core.
const CORES: u64 = 5;
const HOSTS: u64 = 6;

/// A gateway takes this long to start, so that its restart can be told from the time that the runner takes.
const GATEWAY_START_MINUTES: u32 = 12;

/// Components that every core has.
const ALWAYS: &[&str] = &["truth", "spin", "way", "word", "ogfs", "occ", "gateway"];
/// Components that a core may lack; a boot server needs a build manager.
const SOMETIMES: &[&[&str]] = &[&["media"], &["buildmgr", "boot"]];
/// Components of which a core may have several.
const SEVERAL: &[&str] = &["word", "ogfs", "media"];

/// How large the meshes may become.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub cores: u64,
    pub hosts: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            cores: CORES,
            hosts: HOSTS,
        }
    }
}

/// A mesh, and what is done with it.
#[derive(Debug)]
pub struct Drawn {
    pub procedure: Procedure,
    /// A few words on it for people.
    pub summary: String,
    pub variant: Variant,
}

/// Draws the mesh of this number.
pub fn draw(seed: u64, number: u64, bounds: Bounds) -> Result<Drawn> {
    let mut chance = Chance::of(seed, number);
    let count = 1 + chance.below(bounds.cores);
    let procedure = match (count, chance.below(2)) {
        (1, _) => Procedure::Standalone,
        (_, 0) => Procedure::Multimaster,
        _ => Procedure::Rolling,
    };
    draw_as(&mut chance, procedure, count, bounds)
}

/// Draws a mesh for one procedure, to have one of each.
pub fn draw_for(procedure: Procedure, seed: u64, bounds: Bounds) -> Result<Drawn> {
    let mut chance = Chance::of(seed, 0);
    let count = match procedure {
        Procedure::Standalone => 1,
        _ => bounds.cores.max(2),
    };
    draw_as(&mut chance, procedure, count, bounds)
}

fn draw_as(chance: &mut Chance, procedure: Procedure, count: u64, bounds: Bounds) -> Result<Drawn> {
    let source = chance.below(count);
    let mut cores = serde_json::Map::new();
    // The mesh that is replaced.
    for old in ["source", "other"] {
        cores.insert(old.to_owned(), Value::Null);
    }
    let mut hosts_in_all = 0;
    for index in 0..count {
        let hosts = 1 + chance.below(bounds.hosts);
        hosts_in_all += hosts;
        let placed = place(chance, hosts, procedure != Procedure::Standalone);
        let letter = letter(index);
        let servers: serde_json::Map<String, Value> = (1..)
            .zip(placed)
            .map(|(number, components)| {
                let address = format!("127.62.{}.{number}", index + 1);
                let server = json!({"address": address, "components": components});
                (format!("{letter}{number}"), server)
            })
            .collect();
        let agents = 300 + chance.below(7) * 100;
        let facility =
            json!({"id": index + 1, "name": letter.to_ascii_uppercase(), "agents": agents});
        cores.insert(
            format!("core_{letter}"),
            json!({"source": index == source, "facility": facility, "hosts": servers}),
        );
    }
    let satellites = satellites(chance, count);
    let satellite_count = satellites.len();
    let parallel = if chance.below(2) == 0 {
        "serial"
    } else {
        "parallel"
    };
    let from = match procedure {
        Procedure::Rolling => "6.6",
        _ => ["6.6", "6.5.1.2"][usize::from(chance.below(2) == 1)],
    };
    let isolate = chance.below(2) == 1;
    let advanced = ["simple", "advanced"][usize::from(chance.below(4) == 0)];
    let summary = format!(
        "{} {count} cores {hosts_in_all} hosts {satellite_count} satellites from {from}{}",
        procedure.playbook(),
        match procedure {
            Procedure::Multimaster => format!(" {parallel}"),
            Procedure::Rolling if isolate => " isolated".to_owned(),
            _ => String::new(),
        }
    );
    let mesh = json!({
        "version": {"from": from, "schema_change": false},
        "cores": cores,
        "satellites": satellites,
        "policies": {
            "destinations": parallel, "isolate_secondaries": isolate, "interview": advanced, "tunnel_limit": 60,
            "service_limit": 60, "component_limit": 300, "mesh_state": {"limit": 300}, "standalone_stage2": "yes",
        },
    });
    let variant = json!({
        "name": summary, "mesh": mesh, "inventory": {"gates": gates(procedure)}, "scenario": scenario(procedure, from),
        "run": {
            "procedure": procedure.playbook(), "args": ["--check"], "limit": 300,
            "expect": {"exit": 0, "unchanged": ["all"], "only_reads": ["all"]},
        },
        "then": [{
            "procedure": procedure.playbook(), "limit": 1800,
            "expect": {
                "exit": 0, "order": true, "kept": true,
                "gap_restarts": (procedure == Procedure::Rolling).then_some(2),
            },
        }],
    });
    Ok(Drawn {
        procedure,
        summary,
        variant: serde_json::from_value(variant)?,
    })
}

fn letter(index: u64) -> char {
    char::from(b'a' + u8::try_from(index % 26).unwrap_or(0))
}

/// Components of each host of a core; no host is without any.
fn place(chance: &mut Chance, hosts: u64, in_mesh: bool) -> Vec<Vec<&'static str>> {
    let mut placed: Vec<Vec<&'static str>> = (0..hosts).map(|_| Vec::new()).collect();
    let mut ids: Vec<&'static str> = ALWAYS.to_vec();
    if in_mesh {
        ids.insert(2, "vault");
    }
    let some = SOMETIMES.iter().filter(|_| chance.below(4) > 0);
    ids.extend(some.copied().flatten());
    for id in ids {
        let host = chance.index(placed.len());
        if let Some(components) = placed.get_mut(host) {
            components.push(id);
        }
    }
    for components in placed.iter_mut().filter(|components| components.is_empty()) {
        let id = SEVERAL.get(chance.index(SEVERAL.len())).copied();
        components.extend(id);
    }
    placed
}

fn satellites(chance: &mut Chance, cores: u64) -> serde_json::Map<String, Value> {
    (1..=chance.below(3))
        .map(|number| {
            let core = format!("core_{}", letter(chance.below(cores)));
            let satellite = json!({
                "address": format!("127.62.9.{number}"), "core": core, "os_provisioning": chance.below(2) == 1,
            });
            (format!("sat{number}"), satellite)
        })
        .collect()
}

fn gates(procedure: Procedure) -> Value {
    let yes = json!({"answer": "yes", "by": "operator"});
    match procedure {
        Procedure::Multimaster => json!({}),
        Procedure::Standalone => json!({"STD-9": yes, "MM-13": null, "MM-14": null}),
        Procedure::Rolling => json!({"ROLL-4": yes}),
    }
}

fn scenario(procedure: Procedure, from: &str) -> Value {
    let mut every_host = json!({});
    if procedure == Procedure::Rolling {
        let slow = json!({"slow_start_minutes": GATEWAY_START_MINUTES});
        every_host = json!({
            "installer": {"interview": "never"}, "services": {"opswgw-agw0": slow, "opswgw": slow},
        });
    }
    json!({"version": from, "every_host": every_host, "mesh": {"traffic": {"per_minute": 100_000}}})
}

/// Numbers that only look random: the same for the same seed, on every machine.
struct Chance(u64);

impl Chance {
    fn of(seed: u64, number: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// The next number (SplitMix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap_or(1))).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use saslab::world::{Component, World};

    use super::*;
    use crate::case::lay_over;

    fn world(drawn: &Drawn) -> World {
        let pair = Path::new(env!("CARGO_MANIFEST_DIR")).join("meshes/pair.yml");
        let mut mesh = serde_yaml::from_str(&std::fs::read_to_string(pair).unwrap()).unwrap();
        lay_over(&mut mesh, &drawn.variant.mesh);
        let text = serde_yaml::to_string(&mesh).unwrap();
        World::parse(&text, Path::new("drawn.yml"), None).unwrap()
    }

    #[test]
    fn a_hundred_meshes_are_all_such_as_a_site_may_have() {
        let mut sizes = BTreeSet::new();
        let mut procedures = [0; 3];
        for number in 1..=100 {
            let drawn = draw(7, number, Bounds::default()).unwrap();
            let world = world(&drawn);
            assert_eq!(world.cores.iter().filter(|core| core.source).count(), 1);
            for core in &world.cores {
                let count = |id| core.hosts.iter().filter(|host| host.has(id)).count();
                assert_eq!((count(Component::Truth), count(Component::Gateway)), (1, 1));
                assert!(core.hosts.iter().all(|host| !host.components.is_empty()));
                assert!((1..=6).contains(&core.hosts.len()), "{}", drawn.summary);
            }
            sizes.insert((world.cores.len(), world.core_hosts().count()));
            procedures[drawn.procedure as usize] += 1;
        }
        assert!(sizes.len() > 30, "{sizes:?}");
        assert!(procedures.iter().all(|count| *count > 10), "{procedures:?}");
    }

    #[test]
    fn the_same_seed_draws_the_same_mesh() {
        let one = |seed| draw(seed, 3, Bounds::default()).unwrap().variant.mesh;
        assert_eq!(one(7), one(7));
        assert_ne!(one(7), one(8));
    }
}
