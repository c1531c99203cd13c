//! Which system it is, and what manages its packages and services.

use sasrun_plugin::Object;
use serde_json::{Value, json};

use super::object;
use super::sections::Sections;

/// `ID` of `os-release` and the name that playbooks know.
const NAMES: [(&str, &str); 26] = [
    ("almalinux", "AlmaLinux"),
    ("alpine", "Alpine"),
    ("altlinux", "Altlinux"),
    ("amzn", "Amazon"),
    ("arch", "Archlinux"),
    ("centos", "CentOS"),
    ("debian", "Debian"),
    ("devuan", "Devuan"),
    ("fedora", "Fedora"),
    ("gentoo", "Gentoo"),
    ("kali", "Kali"),
    ("linuxmint", "Linux Mint"),
    ("manjaro", "Manjaro"),
    ("ol", "OracleLinux"),
    ("opensuse", "openSUSE"),
    ("opensuse-leap", "openSUSE Leap"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed"),
    ("photon", "VMware Photon OS"),
    ("pop", "Pop!_OS"),
    ("raspbian", "Debian"),
    ("rhel", "RedHat"),
    ("rocky", "Rocky"),
    ("scientific", "Scientific"),
    ("sles", "SLES"),
    ("sles_sap", "SLES_SAP"),
    ("ubuntu", "Ubuntu"),
];

/// Names by family; a system that is in none is its own.
const FAMILIES: [(&str, &[&str]); 8] = [
    (
        "RedHat",
        &[
            "RedHat",
            "CentOS",
            "Fedora",
            "Rocky",
            "AlmaLinux",
            "OracleLinux",
            "Amazon",
            "Scientific",
            "VMware Photon OS",
        ],
    ),
    (
        "Debian",
        &[
            "Debian",
            "Ubuntu",
            "Devuan",
            "Kali",
            "Linux Mint",
            "Pop!_OS",
            "Raspbian",
        ],
    ),
    (
        "Suse",
        &[
            "SLES",
            "SLES_SAP",
            "openSUSE",
            "openSUSE Leap",
            "openSUSE Tumbleweed",
            "SuSE",
        ],
    ),
    ("Archlinux", &["Archlinux", "Manjaro"]),
    ("Solaris", &["Solaris", "OmniOS", "SmartOS", "OpenIndiana"]),
    ("Darwin", &["MacOSX"]),
    ("HP-UX", &["HPUX"]),
    ("Gentoo", &["Gentoo", "Funtoo"]),
];

pub(super) fn facts(sections: &Sections) -> Object {
    let found = Found::of(sections);
    let family = FAMILIES
        .iter()
        .find(|(_, names)| names.contains(&found.name.as_str()))
        .map_or(found.name.as_str(), |(family, _)| family);
    let major = found.version.split('.').next().unwrap_or_default();
    let mut facts = object(json!({
        "distribution": found.name, "distribution_version": found.version,
        "distribution_major_version": major, "distribution_release": found.release,
        "os_family": family,
    }));
    if let Some(minor) = found.version.split('.').nth(1) {
        facts.insert("distribution_minor_version".into(), minor.into());
    }
    if !found.file.is_empty() {
        facts.insert("distribution_file_parsed".into(), true.into());
        facts.insert("distribution_file_path".into(), found.file.into());
        facts.insert("distribution_file_variety".into(), found.name.into());
    }
    facts
}

struct Found {
    name: String,
    version: String,
    release: String,
    file: &'static str,
}

impl Found {
    fn of(sections: &Sections) -> Self {
        let system = sections.first("platform").unwrap_or_default();
        let file = |wanted: &str| {
            let found = sections.all("file").find(|(name, _)| *name == wanted);
            found.and_then(|(_, lines)| lines.first().copied())
        };
        if system == "SunOS" {
            let line = file("release").unwrap_or_default().trim();
            let words: Vec<&str> = line.split_whitespace().collect();
            let at = words.iter().position(|word| *word == "Solaris");
            let version = at
                .and_then(|at| words.get(at + 1))
                .copied()
                .unwrap_or_default();
            return Self::new("Solaris", version, line, "/etc/release");
        }
        let value = |key| sections.value("os_release", key).unwrap_or_default();
        let id = value("ID");
        if !id.is_empty() {
            let name = NAMES
                .iter()
                .find(|(known, _)| *known == id)
                .map(|(_, name)| *name);
            let name = name.map_or_else(|| value("NAME").to_owned(), str::to_owned);
            let version = match (name.as_str(), file("debian_version")) {
                ("Debian", Some(line)) if line.starts_with(|c: char| c.is_ascii_digit()) => line,
                _ => Self::better_version(&name, value("VERSION_ID"), file("redhat-release")),
            };
            let release = match (value("VERSION_CODENAME"), file("redhat-release")) {
                ("", Some(line)) => in_brackets(line),
                ("", None) => "",
                (codename, _) => codename,
            };
            return Self::new(&name, version, release, "/etc/os-release");
        }
        if let Some(line) = file("oracle-release") {
            return Self::new(
                "OracleLinux",
                after_release(line),
                in_brackets(line),
                "/etc/oracle-release",
            );
        }
        if let Some(line) = file("redhat-release") {
            let name = match line {
                line if line.starts_with("CentOS") => "CentOS",
                line if line.starts_with("Fedora") => "Fedora",
                _ => "RedHat",
            };
            return Self::new(
                name,
                after_release(line),
                in_brackets(line),
                "/etc/redhat-release",
            );
        }
        if let Some(line) = file("SuSE-release") {
            let version = sections
                .all("file")
                .find(|(name, _)| *name == "SuSE-release")
                .map(|(_, lines)| {
                    let value = |key: &str| {
                        lines
                            .iter()
                            .find_map(|line| line.strip_prefix(key)?.split('=').nth(1))
                            .map(str::trim)
                    };
                    match (value("VERSION"), value("PATCHLEVEL")) {
                        (Some(version), Some(level)) => format!("{version}.{level}"),
                        (version, _) => version.unwrap_or_default().to_owned(),
                    }
                });
            let name = if line.starts_with("SUSE Linux Enterprise Server") {
                "SLES"
            } else {
                "SuSE"
            };
            return Self::new(name, &version.unwrap_or_default(), "", "/etc/SuSE-release");
        }
        let kernel = sections
            .lines("platform")
            .get(2)
            .copied()
            .unwrap_or_default();
        Self::new(system, kernel, "", "")
    }

    fn new(name: &str, version: &str, release: &str, file: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.trim().to_owned(),
            release: release.to_owned(),
            file,
        }
    }

    /// CentOS tells its minor version only in the older file.
    fn better_version<'a>(name: &str, version: &'a str, line: Option<&'a str>) -> &'a str {
        match line {
            Some(line) if name == "CentOS" && !after_release(line).is_empty() => {
                after_release(line)
            }
            _ => version,
        }
    }
}

/// Returns the version in `Red Hat … release 5.11 (Tikanga)`.
fn after_release(line: &str) -> &str {
    let rest = line.split_once("release ").map_or("", |(_, rest)| rest);
    rest.split_whitespace().next().unwrap_or_default()
}

fn in_brackets(line: &str) -> &str {
    let inside = line
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    inside.map_or("", |(inside, _)| inside)
}

pub(super) fn managers(sections: &Sections) -> Object {
    let has = |path: &str| sections.lines("packages").contains(&path);
    let is_debian = has("/usr/bin/apt-get")
        && sections
            .all("file")
            .any(|(name, _)| name == "debian_version");
    let managers = [
        ("/usr/bin/dnf5", "dnf5"),
        ("/usr/bin/dnf", "dnf"),
        ("/usr/bin/dnf-3", "dnf"),
        ("/usr/bin/yum", "yum"),
        ("/usr/bin/apt-get", "apt"),
        ("/usr/bin/zypper", "zypper"),
        ("/sbin/apk", "apk"),
        ("/usr/bin/pacman", "pacman"),
        ("/usr/bin/emerge", "portage"),
        ("/usr/bin/xbps-install", "xbps"),
        ("/opt/csw/bin/pkgutil", "pkgutil"),
        ("/usr/bin/pkg", "pkg5"),
        ("/usr/sbin/pkgadd", "svr4pkg"),
        ("/usr/sbin/swlist", "swdepot"),
    ];
    let packages = managers
        .iter()
        .find(|(path, _)| has(path))
        .map_or("unknown", |(_, name)| name);
    let services = sections.lines("services");
    let is = |line: &str| services.contains(&line);
    let service = if is("systemd") {
        "systemd"
    } else if is("/usr/sbin/svcadm") {
        "smf"
    } else if is("/sbin/openrc") {
        "openrc"
    } else if is("/sbin/initctl") && services.iter().any(|line| line.contains("upstart")) {
        "upstart"
    } else if is("/etc/init.d") {
        "sysvinit"
    } else {
        "service"
    };
    let mut facts = object(json!({
        "pkg_mgr": if is_debian { "apt" } else { packages },
        "service_mgr": service,
    }));
    if let Some(systemd) = systemd(sections) {
        facts.insert("systemd".into(), systemd);
    }
    facts
}

/// What systemd says of itself: `systemd 252 (252.38)`, and a line of features.
fn systemd(sections: &Sections) -> Option<Value> {
    let [first, rest @ ..] = sections.lines("systemd") else {
        return None;
    };
    let version: u64 = first.split_whitespace().nth(1)?.parse().ok()?;
    let features = rest.first().copied().unwrap_or_default().trim();
    Some(json!({"version": version, "features": features}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_known_by_their_files() {
        for (output, name, version, major, family) in [
            (
                "@@platform\nLinux\n@@os_release\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n@@file debian_version\n12.5\n",
                "Debian",
                "12.5",
                "12",
                "Debian",
            ),
            (
                "@@platform\nLinux\n@@os_release\nNAME=\"Ubuntu\"\nID=ubuntu\nVERSION_ID=\"22.04\"\n",
                "Ubuntu",
                "22.04",
                "22",
                "Debian",
            ),
            (
                "@@platform\nLinux\n@@file redhat-release\nRed Hat Enterprise Linux Server release 5.11 (Tikanga)\n",
                "RedHat",
                "5.11",
                "5",
                "RedHat",
            ),
            (
                "@@platform\nLinux\n@@file SuSE-release\nSUSE Linux Enterprise Server 10 (x86_64)\nVERSION = 10\nPATCHLEVEL = 4\n",
                "SLES",
                "10.4",
                "10",
                "Suse",
            ),
            (
                "@@platform\nSunOS\n@@file release\n                   Oracle Solaris 10 1/13 s10x_u11\n",
                "Solaris",
                "10",
                "10",
                "Solaris",
            ),
        ] {
            let facts = facts(&Sections::of(output));
            let wanted = (name, version, major, family);
            let fact = |name: &str| facts[name].as_str().unwrap();
            assert_eq!(
                (
                    fact("distribution"),
                    fact("distribution_version"),
                    fact("distribution_major_version"),
                    fact("os_family")
                ),
                wanted
            );
        }
    }

    #[test]
    fn systemd_tells_its_version_and_features() {
        let output = "@@systemd\nsystemd 252 (252.38-1~deb12u1)\n+PAM +AUDIT -APPARMOR\n";
        let facts = managers(&Sections::of(output));
        let wanted = json!({"version": 252, "features": "+PAM +AUDIT -APPARMOR"});
        assert_eq!(facts["systemd"], wanted);
    }
}
