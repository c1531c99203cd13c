//! The order of the procedures, as properties of the lab's event log.
//!
//! Each property is one constraint of the procedure, with a sentence that says how a log violates it. They look at
//! what happened on the hosts alone, so that they judge whoever did it.

mod gap;
mod interviews;
mod log;
mod quiet;
mod rolling;
mod sequence;
mod spread;
mod uploads;

use saslab::events::Event;
use saslab::world::World;

pub use gap::{Gap, longest};
pub use log::{Log, Upgrade};

/// One constraint.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    pub name: &'static str,
    /// What must hold.
    pub says: &'static str,
    check: fn(&Log) -> Option<String>,
}

impl Property {
    /// How the log violates the constraint, if it does.
    pub fn violation(&self, world: &World, events: &[Event]) -> Option<String> {
        (self.check)(&Log::new(world, events))
    }
}

/// A procedure whose order is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Procedure {
    Multimaster,
    Standalone,
    Rolling,
}

impl Procedure {
    /// The name of its playbook.
    pub fn playbook(self) -> &'static str {
        match self {
            Self::Multimaster => "multimaster",
            Self::Standalone => "standalone",
            Self::Rolling => "rolling",
        }
    }

    /// The procedure of a playbook.
    pub fn of(playbook: &str) -> Self {
        match playbook {
            "standalone" => Self::Standalone,
            "rolling" => Self::Rolling,
            _ => Self::Multimaster,
        }
    }

    /// Every constraint of the procedure.
    pub fn properties(self) -> &'static [Property] {
        match self {
            Self::Multimaster => PROPERTIES,
            Self::Standalone => STANDALONE,
            Self::Rolling => ROLLING,
        }
    }
}

/// Every constraint of the upgrade of a core that is in no mesh.
pub const STANDALONE: &[Property] = &[
    Property {
        name: "interview_before_stop",
        says: "STD-4 before STD-5: the core has its response file before anything is stopped",
        check: interviews::all_before_stop,
    },
    Property {
        name: "stopped_before_components",
        says: "STD-5 before STD-7: every server is stopped before a component is upgraded",
        check: quiet::stopped_before_unmount,
    },
    Property {
        name: "gateway_back_before_components",
        says: "STD-6 before STD-7: the core gateway is started again before a component is upgraded",
        check: quiet::gateways_back,
    },
    Property {
        name: "only_gateways_started",
        says: "STD-6: between STD-5 and STD-7 nothing but the core gateway is started",
        check: quiet::only_gateways_started,
    },
    Property {
        name: "core_in_order",
        says: "STD-7.1 to STD-7.10: the core is upgraded component by component, in the guide's order",
        check: sequence::source_in_order,
    },
    Property {
        name: "gateway_alone",
        says: "STD-7.9: nothing else is upgraded while the gateway is",
        check: sequence::gateway_alone,
    },
    Property {
        name: "components_before_content",
        says: "STD-7 before STD-8: every component is upgraded before the content is installed",
        check: uploads::components_before_content,
    },
    Property {
        name: "content_exactly_once",
        says: "13.4: the content is installed exactly once",
        check: uploads::content_exactly_once,
    },
    DATABASE_ALWAYS_UP,
    ONE_INSTALLER_PER_HOST,
];

/// Every constraint of the rolling upgrade.
pub const ROLLING: &[Property] = &[
    Property {
        name: "tunnels_before_stop",
        says: "13.5: ROLL-1 before ROLL-2: every agent gateway and satellite is seen connected to every other core before a core goes down",
        check: rolling::tunnels_before_stop,
    },
    Property {
        name: "first_core_first",
        says: "13.5: ROLL-2 before ROLL-3: a secondary goes down only after the first core is complete, uploads and listener included",
        check: rolling::first_core_first,
    },
    Property {
        name: "down_before_components",
        says: "ROLL-2.1 before ROLL-2.4: every server of a core is stopped before one of its components is upgraded",
        check: rolling::down_before_components,
    },
    Property {
        name: "cores_in_order",
        says: "ROLL-2.4.1 to ROLL-2.4.11: every core is upgraded component by component, in the guide's order",
        check: rolling::cores_in_order,
    },
    Property {
        name: "one_core_up",
        says: "13.5: at every moment at least one core is fully up",
        check: rolling::one_core_up,
    },
    Property {
        name: "all_up_at_the_end",
        says: "ROLL-4: at the end everything that was stopped runs again",
        check: rolling::all_up_at_the_end,
    },
    Property {
        name: "agents_come_back",
        says: "13.5: no agent gateway or satellite stays without a core gateway",
        check: gap::never_lost,
    },
    Property {
        name: "agents_at_home",
        says: "ROLL-2.5, NOTE-5: at the end every agent gateway is connected to its own core's gateway",
        check: rolling::agents_at_home,
    },
    Property {
        name: "gateway_alone",
        says: "ROLL-2.4.10: nothing else is upgraded in a core while its gateway is",
        check: sequence::gateway_alone,
    },
    Property {
        name: "content_exactly_once",
        says: "13.4: the content is installed exactly once per mesh, on the first core",
        check: uploads::content_exactly_once,
    },
    Property {
        name: "stage2_everywhere",
        says: "13.4: the stage2 images are added on every software repository server",
        check: uploads::stage2_everywhere,
    },
    DATABASE_ALWAYS_UP,
    ONE_INSTALLER_PER_HOST,
];

const DATABASE_ALWAYS_UP: Property = Property {
    name: "database_always_up",
    says: "13.6: the database is up at all times",
    check: quiet::database_always_up,
};

const ONE_INSTALLER_PER_HOST: Property = Property {
    name: "one_installer_per_host",
    says: "INST-7: at most one installer runs on a host",
    check: sequence::one_installer_per_host,
};

/// Every constraint of the multimaster procedure.
pub const PROPERTIES: &[Property] = &[
    Property {
        name: "source_interview_first",
        says: "MM-2 before MM-3: the source core's response file is saved before a destination's interview begins",
        check: interviews::source_first,
    },
    Property {
        name: "interviews_before_stop",
        says: "MM-3 before MM-4: every core has its response file before anything is stopped",
        check: interviews::all_before_stop,
    },
    Property {
        name: "stopped_before_unmount",
        says: "MM-4 before MM-5: every server of every core is stopped before an audit file system is taken off",
        check: quiet::stopped_before_unmount,
    },
    Property {
        name: "gateways_back_before_unmount",
        says: "MM-4.2 before MM-5: every core gateway is started again before an audit file system is taken off",
        check: quiet::gateways_back,
    },
    Property {
        name: "unmounted_before_databases",
        says: "MM-5 before MM-6: every audit file system from NFS is off before a database is upgraded",
        check: quiet::unmounted_before_databases,
    },
    Property {
        name: "databases_before_source",
        says: "MM-6 before MM-7: every destination's database is upgraded before the source core begins",
        check: sequence::databases_before_source,
    },
    Property {
        name: "transport_before_source",
        says: "MM-6.2 before MM-7: every destination's vault and its transport run before the source core begins",
        check: quiet::transport_before_source,
    },
    Property {
        name: "source_in_order",
        says: "MM-7.1 to MM-7.11: the source core is upgraded component by component, in the guide's order",
        check: sequence::source_in_order,
    },
    Property {
        name: "source_before_spread",
        says: "MM-7 before MM-8: the looks for black that count come after the last change of the source core",
        check: spread::after_source,
    },
    Property {
        name: "black_before_destinations",
        says: "MM-8 before MM-9: three black looks in a row stand before every destination's upgrade",
        check: spread::black_before_destinations,
    },
    Property {
        name: "void_when_touched",
        says: "13.3: a change of the source core between the black looks and MM-9 makes them void",
        check: spread::void_when_touched,
    },
    Property {
        name: "destinations_in_order",
        says: "MM-9: spin, vault, then the rest, the gateway after them, the boot server last, in every destination",
        check: sequence::destinations_in_order,
    },
    Property {
        name: "gateway_alone",
        says: "MM-9.P: nothing else is upgraded in a core while its gateway is",
        check: sequence::gateway_alone,
    },
    Property {
        name: "destinations_before_content",
        says: "MM-9 before MM-10: every destination is upgraded before the content is installed",
        check: uploads::destinations_before_content,
    },
    Property {
        name: "content_before_stage2",
        says: "MM-10 before MM-11: the content comes before the source core's stage2 images",
        check: uploads::content_before_stage2,
    },
    Property {
        name: "source_stage2_first",
        says: "MM-11 before MM-12: the source core's stage2 images come before a destination's",
        check: uploads::source_stage2_first,
    },
    Property {
        name: "uploads_before_verification",
        says: "MM-12 before MM-14: the last look for conflicts comes after the last upload, in every core",
        check: uploads::before_verification,
    },
    Property {
        name: "only_gateways_started",
        says: "13.2: between MM-4 and MM-6.2 nothing but the core gateways is started",
        check: quiet::only_gateways_started,
    },
    Property {
        name: "spin_down_in_destinations",
        says: "13.2: no destination's spin runs between MM-6.3 and MM-9.1",
        check: quiet::spin_down,
    },
    Property {
        name: "content_exactly_once",
        says: "13.4: the content is installed exactly once per mesh, on the source core",
        check: uploads::content_exactly_once,
    },
    Property {
        name: "stage2_everywhere",
        says: "13.4: the stage2 images are added on every software repository server",
        check: uploads::stage2_everywhere,
    },
    DATABASE_ALWAYS_UP,
    ONE_INSTALLER_PER_HOST,
];

/// Every violation of the log, each with its property.
pub fn violations(
    procedure: Procedure,
    world: &World,
    events: &[Event],
) -> Vec<(&'static Property, String)> {
    procedure
        .properties()
        .iter()
        .filter_map(|property| Some((property, property.violation(world, events)?)))
        .collect()
}
