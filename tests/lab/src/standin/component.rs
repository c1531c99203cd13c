//! The components of a core as the installer, the package database and the menus know them.
//!
//! A table only: nothing here looks at a host.

/// What the lab knows of one component.
#[derive(Debug, PartialEq, Eq)]
pub struct Facts {
    /// Canonical id, as the mesh file spells it.
    pub id: &'static str,
    /// Line of the installer's menu in a multimaster mesh.
    pub label: &'static str,
    /// Packages that belong to it; the first one stands for its version.
    pub packages: &'static [&'static str],
    /// Services that the installer stops before and starts after the upgrade, in start order.
    pub services: &'static [&'static str],
    /// Transactions that its upgrade makes for each destination when done on the source core.
    pub transactions: u64,
    /// Length of its upgrade, in seconds of real work that the lab compresses.
    pub seconds: u64,
    /// Settings that the upgrade replaces after archiving them.
    pub settings: &'static [&'static str],
}

/// Every component of a core, in the order of the multimaster procedure.
pub const CATALOG: &[Facts] = &[
    Facts {
        id: "truth",
        label: "Model Repository (truth), Multimaster Additions",
        packages: &["OPSWtruth", "OPSWtruth-mm"],
        services: &[],
        transactions: 1500,
        seconds: 60,
        settings: &[],
    },
    Facts {
        id: "spin",
        label: "Data Access Engine (spin), Multimaster Component",
        packages: &["OPSWspin"],
        services: &["spin"],
        transactions: 800,
        seconds: 40,
        settings: &["/etc/opt/opsware/spin/spin.args"],
    },
    Facts {
        id: "vault",
        label: "Model Repository Multimaster Component (vault)",
        packages: &["OPSWvault", "OPSWtibco"],
        services: &["rvrdscript", "vaultdaemon"],
        transactions: 200,
        seconds: 30,
        settings: &["/etc/opt/opsware/vault/vault.conf"],
    },
    Facts {
        id: "way",
        label: "Command Engine (way), Multimaster Component",
        packages: &["OPSWwaybot"],
        services: &["waybot"],
        transactions: 500,
        seconds: 30,
        settings: &["/etc/opt/opsware/waybot/waybot.args"],
    },
    Facts {
        id: "word",
        label: "Software Repository (word), Multimaster Component",
        packages: &["OPSWword"],
        services: &["mm_wordbot"],
        transactions: 700,
        seconds: 30,
        settings: &["/etc/opt/opsware/mm_wordbot/mm_wordbot.args"],
    },
    Facts {
        id: "ogfs",
        label: "Opsware Global Filesystem Server (OGFS), multimaster component",
        packages: &["OPSWhub", "OPSWspoke"],
        services: &["hub", "sshd", "spoke"],
        transactions: 250,
        seconds: 30,
        settings: &["/etc/opt/opsware/hub/hub.conf"],
    },
    Facts {
        id: "occ",
        label: "Opsware Command Center (OCC), Multimaster Component",
        packages: &["OPSWocc", "OPSWtwist", "OPSWhttps-proxy"],
        services: &["opswgw-lb", "twist", "occ.server", "httpsProxy"],
        transactions: 600,
        seconds: 40,
        settings: &[
            "/etc/opt/opsware/twist/twist.conf",
            "/etc/opt/opsware/occ/psrvr.properties",
        ],
    },
    Facts {
        id: "media",
        label: "OS Provisioning Media Server",
        packages: &["OPSWmedia", "OPSWsamba"],
        services: &["smb"],
        transactions: 100,
        seconds: 20,
        settings: &["/etc/opt/opsware/samba/smb.conf"],
    },
    Facts {
        id: "buildmgr",
        label: "OS Provisioning Build Scripts",
        packages: &["OPSWbuildmgr", "OPSWbuildscripts"],
        services: &["buildmgr"],
        transactions: 150,
        seconds: 20,
        settings: &["/etc/opt/opsware/buildmgr/buildmgr.conf"],
    },
    Facts {
        id: "gateway",
        label: "Opsware Gateway",
        packages: &["OPSWgw"],
        services: &["opswgw-cgw0", "opswgw-agw0"],
        transactions: 120,
        seconds: 30,
        settings: &[],
    },
    Facts {
        id: "boot",
        label: "OS Provisioning Boot Server",
        packages: &["OPSWboot", "OPSWdhcpd"],
        services: &["dhcpd"],
        transactions: 80,
        seconds: 20,
        settings: &["/etc/opt/opsware/dhcpd/dhcpd.conf"],
    },
];

/// What a satellite carries besides a boot server and a media server.
pub const SATELLITE: &[Facts] = &[
    Facts {
        id: "sat_gateway",
        label: "Opsware Gateway (Interactive Install)",
        packages: &["OPSWgw"],
        services: &["opswgw"],
        transactions: 0,
        seconds: 30,
        settings: &[],
    },
    Facts {
        id: "wordcache",
        label: "Software Repository Cache (wordcache)",
        packages: &["OPSWwordcache"],
        services: &["wordcache"],
        transactions: 0,
        seconds: 20,
        settings: &["/etc/opt/opsware/wordcache/wordcache.conf"],
    },
];

/// The two lines of the upload medium's menu.
pub const UPLOADS: &[Facts] = &[
    Facts {
        id: "content",
        label: "Software Repository - Content (install once per mesh)",
        packages: &["OPSWcontent"],
        services: &[],
        transactions: 0,
        seconds: 40,
        settings: &[],
    },
    Facts {
        id: "stage2",
        label: "Add OS Provisioning Stage2 Images to Software Repository",
        packages: &["OPSWstage2"],
        services: &[],
        transactions: 0,
        seconds: 30,
        settings: &[],
    },
];

/// The package of the agent that every core server carries.
pub const AGENT_PACKAGE: &str = "OPSWagent";

/// Finds a component or an upload by its id.
pub fn find(id: &str) -> Option<&'static Facts> {
    CATALOG
        .iter()
        .chain(SATELLITE)
        .chain(UPLOADS)
        .find(|component| component.id == id)
}

/// Package version letters of a release, as the package database shows them.
pub fn package_version(release: &str) -> String {
    let patch = release
        .strip_prefix("6.5.1.")
        .or_else(|| release.strip_prefix("6.51."));
    match (release, patch) {
        (_, Some(patch)) => format!("32.d.{patch}"),
        ("6.5.0", _) => "32.a".to_owned(),
        ("6.61" | "6.6.1", _) => "32.g".to_owned(),
        ("6.6", _) => "32.f".to_owned(),
        _ => "32.d".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_upgrade_makes_about_five_thousand_transactions() {
        let total: u64 = CATALOG.iter().map(|component| component.transactions).sum();
        assert_eq!(total, 5000);
    }

    #[test]
    fn ids_and_labels_are_distinct() {
        let all: Vec<_> = CATALOG.iter().chain(SATELLITE).chain(UPLOADS).collect();
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert_ne!(one.id, other.id);
                assert_ne!(one.label, other.label);
            }
        }
    }

    #[test]
    fn releases_have_the_letters_of_the_table() {
        let table = [
            ("6.5.1", "32.d"),
            ("6.5.1.3", "32.d.3"),
            ("6.6", "32.f"),
            ("6.61", "32.g"),
            ("6.6.1", "32.g"),
        ];
        for (release, letters) in table {
            assert_eq!(package_version(release), letters, "{release}");
        }
    }
}
