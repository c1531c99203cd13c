//! What is measured, and the bound that a runner has to keep.

/// One piece of work for a number of hosts.
pub(crate) struct Workload {
    pub name: &'static str,
    /// Directory below `workloads/` with the playbook, its plain lines and the pyinfra deploy.
    pub folder: &'static str,
    pub hosts: usize,
    /// Hosts at the same time.
    pub forks: usize,
    /// Says that the run after the first is measured, which must change nothing.
    pub again: bool,
    /// The most that sasrun may take, in times of the plain shell.
    pub bound: f64,
}

/// Memory of the controller that no workload may need more of.
pub(crate) const MEMORY_BOUND_MIB: f64 = 40.0;

pub(crate) const ALL: &[Workload] = &[
    Workload {
        name: "small-10",
        folder: "small",
        hosts: 10,
        forks: 50,
        again: false,
        bound: 1.6,
    },
    Workload {
        name: "small-50",
        folder: "small",
        hosts: 50,
        forks: 50,
        again: false,
        bound: 1.6,
    },
    Workload {
        name: "configure-first",
        folder: "configure",
        hosts: 10,
        forks: 50,
        again: false,
        bound: 2.0,
    },
    Workload {
        name: "configure-again",
        folder: "configure",
        hosts: 10,
        forks: 50,
        again: true,
        bound: 2.0,
    },
    Workload {
        name: "fan-out",
        folder: "fan_out",
        hosts: 200,
        forks: 50,
        again: false,
        bound: 1.3,
    },
];

impl Workload {
    /// A file of the workload, in the source tree that this program was built from.
    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("workloads")
            .join(self.folder)
            .join(name)
    }
}
