//! The fifty parameters of a core and the values they have in the lab.
//!
//! Values follow from the world alone, so that every file, page and database of a core agrees with its response file.

use std::collections::BTreeMap;

use crate::world::{Component, Core, Host, World};

/// Home of the database software on every truth server.
pub const ORACLE_HOME: &str = "/u01/app/oracle/product/10.2.0/db_1";
/// Directory of `tnsnames.ora`.
pub const TNS_DIRECTORY: &str = "/var/opt/oracle";
/// Name by which the listener knows the database.
pub const SERVICE_NAME: &str = "truth";
/// Where the Windows patch utilities lie on the software repository.
pub const WINDOWS_UTILITIES: &str = "/var/opt/opsware/win_util";
/// What the OGFS servers mount by NFS.
pub const STORE_EXPORT: &str = "/export/ogfs/store";
pub const AUDIT_EXPORT: &str = "/export/ogfs/audit";

/// What the interview knows of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub is_secret: bool,
    /// The simple interview asks for it.
    pub is_simple: bool,
    pub text: &'static str,
}

const fn plain(name: &'static str, text: &'static str) -> Parameter {
    Parameter {
        name,
        is_secret: false,
        is_simple: false,
        text,
    }
}

const fn simple(name: &'static str, text: &'static str) -> Parameter {
    Parameter {
        name,
        is_secret: false,
        is_simple: true,
        text,
    }
}

const fn secret(name: &'static str, text: &'static str) -> Parameter {
    Parameter {
        name,
        is_secret: true,
        is_simple: true,
        text,
    }
}

/// Every parameter, in the order of the interview.
pub const PARAMETERS: &[Parameter] = &[
    secret(
        "cast.admin_pwd",
        "the password of the user admin of the web client",
    ),
    secret(
        "decrypt_passwd",
        "the password that opens the cryptographic material",
    ),
    plain("truth.authDom", "the authorization domain"),
    simple("truth.dcId", "the facility ID"),
    simple("truth.dcNm", "the short name of the facility"),
    plain("truth.dcDispNm", "the display name of the facility"),
    simple("truth.dcSubDom", "the subdomain of the facility"),
    plain("truth.dest", "the directory for the Model Repository files"),
    secret("truth.gcPwd", "the password of the Oracle user gcadmin"),
    secret("truth.lcrepPwd", "the password of the Oracle user lcrep"),
    secret(
        "truth.aaPwd",
        "the password of the Oracle user opsware_admin",
    ),
    simple("truth.orahome", "the path of ORACLE_HOME"),
    secret(
        "truth.pubViewsPwd",
        "the password of the Oracle user for public views",
    ),
    simple("truth.servicename", "the TNS name of the Model Repository"),
    plain(
        "truth.sourcePath",
        "the path of the Model Repository sources",
    ),
    secret("truth.spinPwd", "the password of the Oracle user spin"),
    plain("truth.tnsdir", "the directory of tnsnames.ora"),
    secret("truth.aaaPwd", "the password of the Oracle user aaa"),
    secret("truth.truthPwd", "the password of the Oracle user truth"),
    secret("truth.twistPwd", "the password of the Oracle user twist"),
    secret("truth.vaultPwd", "the password of the Oracle user vault"),
    secret(
        "twist.buildmgr.passwd",
        "the password of the OS Provisioning Build Manager",
    ),
    secret(
        "twist.integration.passwd",
        "the password of the integration user",
    ),
    plain("media_server.linux_media", "the path of the Linux media"),
    plain("media_server.sunos_media", "the path of the Solaris media"),
    plain(
        "word.remove_files",
        "whether packages are removed on uninstallation",
    ),
    plain(
        "media_server.windows_media",
        "the path of the Windows media",
    ),
    plain(
        "media_server.windows_share_name",
        "the share name of the Windows media",
    ),
    Parameter {
        name: "media_server.windows_share_password",
        is_secret: true,
        is_simple: false,
        text: "the password of the Windows media share",
    },
    plain("boot_server.buildmgr_host", "the host of the Build Manager"),
    plain(
        "boot_server.speed_duplex",
        "the speed and duplex setting of the boot server",
    ),
    plain(
        "truth.uninstall.needdata",
        "whether the data is needed after an uninstallation",
    ),
    plain(
        "truth.uninstall.aresure",
        "whether you are sure to uninstall",
    ),
    plain("bootagent.host", "the host of the boot agent"),
    simple("truth.sid", "the SID of the Model Repository"),
    plain(
        "save_crypto",
        "whether cryptographic material is saved on uninstallation",
    ),
    plain("agent_gw_list_args", "the agent gateways"),
    plain("default_locale", "the default locale"),
    plain("ogfs.store.host", "the NFS server of the OGFS store"),
    plain("ogfs.store.path", "the path of the OGFS store"),
    plain(
        "ogfs.audit.host",
        "the NFS server of the OGFS audit streams",
    ),
    plain("ogfs.audit.path", "the path of the OGFS audit streams"),
    secret("truth.detuserpwd", "the password of the detuser"),
    simple(
        "windows_util_loc",
        "the directory of the Windows patch utilities",
    ),
    plain(
        "cgw_admin_port",
        "the administration port of the core gateway",
    ),
    simple("cgw_address", "the address of the core gateway"),
    plain("cgw_proxy_port", "the proxy port of the core gateway"),
    plain("agw_proxy_port", "the proxy port of the agent gateway"),
    plain(
        "cgw_tunnel_listener_port",
        "the tunnel listener port of the core gateway",
    ),
    plain("hub.ip", "the address of the Global File System server"),
];

/// Oracle accounts by name, with the parameter of their password and whether they may log in.
pub const ACCOUNTS: &[(&str, &str, bool)] = &[
    ("gcadmin", "truth.gcPwd", false),
    ("lcrep", "truth.lcrepPwd", false),
    ("aaa", "truth.aaaPwd", false),
    ("truth", "truth.truthPwd", false),
    ("opsware_admin", "truth.aaPwd", true),
    ("spin", "truth.spinPwd", true),
    ("twist", "truth.twistPwd", true),
    ("vault", "truth.vaultPwd", true),
];

/// What the interview knows of the parameter of this name.
pub fn find(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name)
}

/// The TNS name of a core's database.
pub fn tns_name(core: &Core) -> String {
    format!("{}_truth", core.facility.name.to_lowercase())
}

/// The NFS server of a core's OGFS.
pub fn filer(core: &Core) -> String {
    format!("filer-{}", core.facility.name.to_lowercase())
}

/// A secret of a core: the same in every run, different for every name and core.
pub fn secret_value(world: &World, core: &Core, name: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in format!("{}/{}/{name}", world.mesh, core.name).bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let short: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!(
        "{}.{:08x}",
        &short[short.len().saturating_sub(6)..],
        hash >> 32
    )
}

/// The right values of a core, in the order of the interview.
pub fn values(world: &World, core: &Core) -> Vec<(String, String)> {
    PARAMETERS
        .iter()
        .map(|parameter| {
            let value = if parameter.is_secret {
                secret_value(world, core, parameter.name)
            } else {
                plain_value(core, parameter.name)
            };
            (parameter.name.to_owned(), value)
        })
        .collect()
}

/// The right values of a host's response file: a satellite's names the agent gateways of its core besides.
pub fn of_host(world: &World, core: &Core, host: &Host) -> Vec<(String, String)> {
    let mut all = values(world, core);
    let gateway = core.host_with(Component::Gateway);
    if let (true, Some(gateway)) = (host.satellite, gateway) {
        for (name, value) in &mut all {
            if name == GATEWAY_LIST {
                *value = format!("{}:3001", gateway.address);
            }
        }
    }
    all
}

/// The parameter that satellites need and nobody else.
const GATEWAY_LIST: &str = "agent_gw_list_args";

/// Every secret of the mesh: `core/parameter` to value, for those who look for leaks.
pub fn secrets(world: &World) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for core in &world.cores {
        for parameter in PARAMETERS.iter().filter(|parameter| parameter.is_secret) {
            all.insert(
                format!("{}/{}", core.name, parameter.name),
                secret_value(world, core, parameter.name),
            );
        }
    }
    all
}

fn plain_value(core: &Core, name: &str) -> String {
    let dc = core.facility.name.as_str();
    let address = |component| {
        core.host_with(component)
            .map_or_else(String::new, |host: &Host| host.address.to_string())
    };
    match name {
        "truth.authDom" => "OPSWARE".to_owned(),
        "truth.dcId" => core.facility.id.to_string(),
        "truth.dcNm" => dc.to_owned(),
        "truth.dcDispNm" => format!("Facility {dc}"),
        "truth.dcSubDom" => format!("{}.lab.example.com", dc.to_lowercase()),
        "truth.dest" => "/var/opt/opsware/truth".to_owned(),
        "truth.orahome" => ORACLE_HOME.to_owned(),
        "truth.servicename" => tns_name(core),
        "truth.sid" => SERVICE_NAME.to_owned(),
        "truth.sourcePath" => "/var/opt/opsware/truth/src".to_owned(),
        "truth.tnsdir" => TNS_DIRECTORY.to_owned(),
        "media_server.linux_media" => "/media/opsware/linux".to_owned(),
        "media_server.sunos_media" => "/media/opsware/sunos".to_owned(),
        "media_server.windows_media" => "/media/opsware/windows".to_owned(),
        "media_server.windows_share_name" => "OSMEDIA".to_owned(),
        "boot_server.buildmgr_host" => address(Component::Buildmgr),
        "boot_server.speed_duplex" => "autoneg".to_owned(),
        "bootagent.host" => address(Component::Boot),
        "default_locale" => "en".to_owned(),
        "ogfs.store.host" | "ogfs.audit.host" => filer(core),
        "ogfs.store.path" => STORE_EXPORT.to_owned(),
        "ogfs.audit.path" => AUDIT_EXPORT.to_owned(),
        "windows_util_loc" => WINDOWS_UTILITIES.to_owned(),
        "cgw_admin_port" => "8085".to_owned(),
        "cgw_address" => address(Component::Gateway),
        "cgw_proxy_port" => "3002".to_owned(),
        "agw_proxy_port" => "3001".to_owned(),
        "cgw_tunnel_listener_port" => "2001".to_owned(),
        "hub.ip" => address(Component::Ogfs),
        "word.remove_files"
        | "truth.uninstall.needdata"
        | "truth.uninstall.aresure"
        | "save_crypto" => "n".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_fifty_parameters_of_which_fifteen_are_secret() {
        assert_eq!(PARAMETERS.len(), 50);
        assert_eq!(
            PARAMETERS
                .iter()
                .filter(|parameter| parameter.is_secret)
                .count(),
            15
        );
        assert!(
            ACCOUNTS
                .iter()
                .all(|(_, name, _)| find(name).is_some_and(|parameter| parameter.is_secret))
        );
    }

    #[test]
    fn secrets_differ_from_each_other() {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../inventories/lab/mesh.yml");
        let world = World::read(&path, None).unwrap();
        let all = secrets(&world);
        let distinct: std::collections::BTreeSet<_> = all.values().collect();
        assert_eq!((all.len(), distinct.len()), (45, 45));
        let core = &world.cores[1];
        let values = values(&world, core);
        assert!(values.contains(&("cgw_address".to_owned(), "127.61.2.3".to_owned())));
    }
}
