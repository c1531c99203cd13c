//! The components of the product under their canonical ids: names, packages, menu labels.
//!
//! Facts as data; nothing here looks at a host.

/// What is known of one component.
pub(crate) struct Component {
    /// Canonical id, as inventories and playbooks spell it.
    pub(crate) id: &'static str,
    /// Package that stands for its version.
    pub(crate) package: &'static str,
    /// Labels under which menus show it, normalised: any of these beginnings is it.
    pub(crate) labels: &'static [&'static str],
}

const fn component(
    id: &'static str,
    package: &'static str,
    labels: &'static [&'static str],
) -> Component {
    Component {
        id,
        package,
        labels,
    }
}

/// Every component, and the two uploads, in the order of the multimaster procedure.
///
/// Labels are compared after [`crate::installer::normalise_label`]: lower case, one kind of dash,
/// single blanks. A label is recognised whole or up to a comma, a bracket or `multimaster`.
pub(crate) const CATALOG: &[Component] = &[
    component(
        "truth",
        "OPSWtruth",
        &["model repository (truth)", "model repository"],
    ),
    component(
        "spin",
        "OPSWspin",
        &["data access engine (spin)", "data access engine"],
    ),
    component(
        "vault",
        "OPSWvault",
        &[
            "model repository multimaster component (vault)",
            "model repository multimaster component",
            "vault",
        ],
    ),
    component(
        "way",
        "OPSWwaybot",
        &["command engine (way)", "command engine"],
    ),
    component(
        "word",
        "OPSWword",
        &["software repository (word)", "software repository"],
    ),
    component(
        "ogfs",
        "OPSWhub",
        &[
            "opsware global filesystem server (ogfs)",
            "opsware global filesystem server",
            "opsware global file system server (ogfs)",
            "ogfs",
        ],
    ),
    component(
        "occ",
        "OPSWocc",
        &[
            "opsware command center (occ)",
            "opsware command center",
            "occ",
        ],
    ),
    component("media", "OPSWmedia", &["os provisioning media server"]),
    component(
        "buildmgr",
        "OPSWbuildmgr",
        &[
            "os provisioning build manager",
            "os provisioning build scripts",
        ],
    ),
    component(
        "gateway",
        "OPSWgw",
        &["opsware gateway", "first core gateway"],
    ),
    component(
        "boot",
        "OPSWboot",
        &["os provisioning boot server", "os provisioning boot sever"],
    ),
    component(
        "content",
        "OPSWcontent",
        &[
            "software repository - content (install once per mesh)",
            "software repository - content",
        ],
    ),
    component(
        "stage2",
        "OPSWstage2",
        &[
            "add os provisioning stage2 images to software repository",
            "os provisioning stage2 images to software repository",
            "os provisioning stage2 images",
        ],
    ),
    component(
        "sat_gateway",
        "OPSWgw",
        &["opsware gateway (interactive install)"],
    ),
    component(
        "wordcache",
        "OPSWwordcache",
        &[
            "software repository cache (wordcache)",
            "software repository cache",
        ],
    ),
];

/// Components that a server of a core may carry, in the order of the procedure.
pub(crate) const CORE_IDS: &[&str] = &[
    "truth", "spin", "vault", "way", "word", "ogfs", "occ", "media", "buildmgr", "gateway", "boot",
];

/// Uploads into a software repository; no inventory lists them.
pub(crate) const UPLOAD_IDS: &[&str] = &["content", "stage2"];

/// Finds a component by its id.
pub(crate) fn find(id: &str) -> Option<&'static Component> {
    CATALOG.iter().find(|component| component.id == id)
}
