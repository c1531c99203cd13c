//! `gather_subset`: which parts of the facts are asked for.

/// A part of the facts, with a piece of script of its own. The order is that of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Platform,
    User,
    Distribution,
    Managers,
    DateTime,
    System,
    Hardware,
    Network,
    Virtual,
    Local,
    Env,
}

const MINIMUM: [Part; 8] = [
    Part::Platform,
    Part::User,
    Part::Distribution,
    Part::Managers,
    Part::DateTime,
    Part::System,
    Part::Local,
    Part::Env,
];

impl Part {
    pub(super) fn script(self) -> &'static str {
        match self {
            Part::Platform => include_str!("platform.sh"),
            Part::User => include_str!("user.sh"),
            Part::Distribution => include_str!("distribution.sh"),
            Part::Managers => include_str!("managers.sh"),
            Part::DateTime => include_str!("date_time.sh"),
            Part::System => include_str!("system.sh"),
            Part::Hardware => include_str!("hardware.sh"),
            Part::Network => include_str!("network.sh"),
            Part::Virtual => include_str!("virtualization.sh"),
            Part::Local => include_str!("local.sh"),
            Part::Env => include_str!("env.sh"),
        }
    }
}

/// Returns the parts behind a name; none where the name is known but has nothing here.
fn named(name: &str) -> Option<Vec<Part>> {
    Some(match name {
        "all" => {
            let mut all = MINIMUM.to_vec();
            all.extend([Part::Hardware, Part::Network, Part::Virtual]);
            all
        }
        "min" => MINIMUM.to_vec(),
        "platform" => vec![Part::Platform],
        "user" => vec![Part::User],
        "distribution" | "os_family" => vec![Part::Distribution],
        "pkg_mgr" | "service_mgr" => vec![Part::Managers, Part::Distribution],
        "date_time" => vec![Part::DateTime],
        "apparmor" | "caps" | "cmdline" | "dns" | "fips" | "is_chroot" | "lsb" | "selinux"
        | "ssh_pub_keys" | "loadavg" | "python" => vec![Part::System],
        "hardware" | "devices" | "dmi" | "memory" | "mounts" | "processor" | "cpu" | "uptime" => {
            vec![Part::Hardware]
        }
        "network" | "interfaces" | "default_ipv4" | "default_ipv6" | "all_ipv4_addresses"
        | "all_ipv6_addresses" => vec![Part::Network],
        "virtual" | "virtualization_role" | "virtualization_type" => vec![Part::Virtual],
        "local" => vec![Part::Local],
        "env" => vec![Part::Env],
        "facter" | "ohai" | "fibre_channel_wwn" | "iscsi" | "nvme" => Vec::new(),
        _ => return None,
    })
}

/// Resolves a list such as `['!all', 'network']`; the minimum comes along unless `!min` is said.
/// The error is the name that is not known.
pub(super) fn wanted(subset: &[String]) -> Result<Vec<Part>, String> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let mut explicit = false;
    let (mut drops_minimum, mut drops_all) = (false, false);
    for name in subset
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
    {
        match name.strip_prefix('!') {
            Some("all") => drops_all = true,
            Some("min") => drops_minimum = true,
            Some(other) => removed.extend(named(other).ok_or_else(|| name.to_owned())?),
            None => {
                explicit = true;
                added.extend(named(name).ok_or_else(|| name.to_owned())?);
            }
        }
    }
    if !explicit && !drops_all {
        added.extend(named("all").unwrap_or_default());
    }
    // Other facts cannot be told without it, and it is the cheapest.
    let mut parts = vec![Part::Platform];
    if !drops_minimum {
        parts.extend(MINIMUM);
    }
    parts.retain(|part| *part == Part::Platform || !removed.contains(part));
    parts.extend(added.into_iter().filter(|part| !removed.contains(part)));
    parts.sort();
    parts.dedup();
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<Part> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        wanted(&names).unwrap()
    }

    #[test]
    fn subsets_add_and_leave_out() {
        assert!(of(&["all"]).contains(&Part::Hardware));
        assert!(of(&["!all"]).contains(&Part::Distribution));
        assert!(!of(&["!all"]).contains(&Part::Network));
        assert_eq!(of(&["!all", "!min"]), [Part::Platform]);
        assert_eq!(
            of(&["!all", "!min", "network"]),
            [Part::Platform, Part::Network]
        );
        assert!(!of(&["!hardware"]).contains(&Part::Hardware));
        assert!(of(&["!hardware"]).contains(&Part::Network));
        assert_eq!(wanted(&["nonsense".to_owned()]), Err("nonsense".to_owned()));
    }
}
