//! What the processes and ports of each service look like, as data.

/// Signs by which a service is seen to run, whatever its status says.
pub(super) struct Signature {
    /// Name of the service, without the facility's suffix.
    name: &'static str,
    /// A process line that holds one of these is one of its processes.
    processes: &'static [&'static str],
    /// Ports that it listens on when it is up.
    ports: &'static [u16],
}

const fn signature(
    name: &'static str,
    processes: &'static [&'static str],
    ports: &'static [u16],
) -> Signature {
    Signature {
        name,
        processes,
        ports,
    }
}

const SIGNATURES: &[Signature] = &[
    signature("rvrdscript", &["/bin/rvrd"], &[]),
    signature(
        "vaultdaemon",
        &["com.opsware.vault", "-Dvault.home"],
        &[5678],
    ),
    signature(
        "dhcpd",
        &["/opt/opsware/dhcpd/", "/etc/opt/opsware/dhcpd/"],
        &[],
    ),
    signature("spin", &["--conf /etc/opt/opsware/spin/"], &[1004]),
    signature(
        "mm_wordbot",
        &["--conf /etc/opt/opsware/mm_wordbot/"],
        &[1003],
    ),
    signature("waybot", &["--conf /etc/opt/opsware/waybot/"], &[1018]),
    signature("smb", &["smbd -D", "/etc/opt/opsware/samba/"], &[]),
    signature("twist", &["com.opsware.twist", "-Dtwist.home"], &[1032]),
    signature("buildmgr", &["/opt/opsware/buildmgr/"], &[1017]),
    signature("hub", &["/opt/opsware/hub/"], &[]),
    signature("sshd", &["/opt/opsware/sshd/"], &[2222]),
    signature("spoke", &["/opt/opsware/spoke/"], &[]),
    signature("occ.server", &["com.opsware.occ", "-Docc.home"], &[]),
    signature("httpsProxy", &["/opt/opsware/httpsProxy/"], &[443]),
    signature("opsware-agent", &["/etc/opt/opsware/agent/"], &[1002]),
];

/// What is looked for.
pub(super) struct Signs {
    /// A process line that holds one of these is one of the service's.
    pub(super) processes: Vec<String>,
    /// Ports that it listens on when it is up.
    pub(super) ports: Vec<u16>,
}

/// Finds the signs of a service by the name that the host lists; none if it is not known.
///
/// Each gateway is a watchdog and its child, whose titles end in the node's name.
pub(super) fn signs(name: &str) -> Option<Signs> {
    if let Some(node) = name.strip_prefix("opswgw") {
        let node = node.trim_start_matches('-');
        let ports: &[u16] = match node.split('-').next() {
            Some("cgw0") => &[2001, 8085],
            Some("agw0") => &[3001],
            _ => &[],
        };
        let processes = match node {
            "" => vec![
                "[opswgw-gateway-".to_owned(),
                "[opswgw-watchdog-".to_owned(),
            ],
            node => vec![format!(": {node}]")],
        };
        return Some(Signs {
            processes,
            ports: ports.to_vec(),
        });
    }
    let name = if name == "rvrdscrip" {
        "rvrdscript"
    } else {
        name
    };
    let known = SIGNATURES.iter().find(|signature| signature.name == name)?;
    Some(Signs {
        processes: known
            .processes
            .iter()
            .map(|text| (*text).to_owned())
            .collect(),
        ports: known.ports.to_vec(),
    })
}
