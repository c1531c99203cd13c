//! All trials, with the sizes that the plan of reliability tests gives them.

use crate::trial::{Part, Trial};
use crate::{black_holes, cuts, damage, flood, full_disk, kills, mesh, races, signals};

/// All trials, in order.
pub const TRIALS: [Trial; 8] = [
    Trial {
        id: "T1",
        parts: &[
            Part {
                id: "T1-ledger",
                what: |_| "of a playbook of ledgers".to_owned(),
                full_count: 100,
                each: 1,
                begin: kills::begin,
            },
            Part {
                id: "T1-mesh",
                what: |_| "of the upgrade of a mesh".to_owned(),
                full_count: 100,
                each: 1,
                begin: mesh::begin,
            },
        ],
    },
    Trial {
        id: "T3",
        parts: &[
            Part {
                id: "T3-cut",
                what: |_| "cuts".to_owned(),
                full_count: damage::SLICES,
                each: damage::CUTS_EACH,
                begin: damage::begin_cuts,
            },
            Part {
                id: "T3-flip",
                what: |_| "flipped bits".to_owned(),
                full_count: 200,
                each: damage::FLIPS_EACH,
                begin: damage::begin_flips,
            },
        ],
    },
    Trial {
        id: "T4",
        parts: &[Part {
            id: "T4",
            what: |_| "writes of a small run".to_owned(),
            full_count: full_disk::WRITES,
            each: 1,
            begin: full_disk::begin,
        }],
    },
    Trial {
        id: "T5",
        parts: &[
            Part {
                id: "T5-points",
                what: |_| "runs cut at random points".to_owned(),
                full_count: 100,
                each: 1,
                begin: cuts::begin,
            },
            Part {
                id: "T5-long",
                what: |size| {
                    let (seconds, cuts) = cuts::long_job(size);
                    format!("job of {seconds} s cut {cuts} times")
                },
                full_count: 1,
                each: 1,
                begin: cuts::begin_long,
            },
        ],
    },
    Trial {
        id: "T7",
        parts: &[
            Part {
                id: "T7-connect",
                what: |size| format!("silent while connecting ({})", black_holes::limits(size)),
                full_count: 10,
                each: 1,
                begin: black_holes::begin_connect,
            },
            Part {
                id: "T7-greeting",
                what: |_| "before the greeting".to_owned(),
                full_count: 10,
                each: 1,
                begin: black_holes::begin_greeting,
            },
            Part {
                id: "T7-login",
                what: |_| "at random bytes of handshake, login and shell".to_owned(),
                full_count: 20,
                each: 1,
                begin: black_holes::begin_login,
            },
            Part {
                id: "T7-task",
                what: |_| "in a task".to_owned(),
                full_count: 10,
                each: 1,
                begin: black_holes::begin_task,
            },
        ],
    },
    Trial {
        id: "T9",
        parts: &[
            Part {
                id: "T9-task",
                what: |_| "task of 500 MB".to_owned(),
                full_count: 1,
                each: 1,
                begin: flood::begin,
            },
            Part {
                id: "T9-job",
                what: |_| "job of 500 MB".to_owned(),
                full_count: 1,
                each: 1,
                begin: flood::begin_job,
            },
        ],
    },
    Trial {
        id: "T13",
        parts: &[Part {
            id: "T13",
            what: |_| "runs, half of them over SSH".to_owned(),
            full_count: 50,
            each: 1,
            begin: signals::begin,
        }],
    },
    Trial {
        id: "T14",
        parts: &[
            Part {
                id: "T14-one",
                what: |_| "from one control host".to_owned(),
                full_count: 100,
                each: 1,
                begin: races::begin_one,
            },
            Part {
                id: "T14-two",
                what: |_| "from two that share no files".to_owned(),
                full_count: 100,
                each: 1,
                begin: races::begin_two,
            },
        ],
    },
];
