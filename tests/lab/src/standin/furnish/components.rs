//! Certificates and data of the components.

use std::io;

use super::place::Place;
use crate::standin::response::parameters::{self, WINDOWS_UTILITIES};
use crate::standin::site::Site;
use crate::world::Component;

const CRYPTO: &str = "/var/opt/opsware/crypto";

/// Writes the certificates of a host.
pub(super) fn certificates(site: &Site, place: &Place) -> io::Result<()> {
    let host = &site.host;
    let write =
        |path: &str, name: &str| place.file(&format!("{CRYPTO}/{path}"), 0o600, &certificate(name));
    write("spin/spin.srv", "spin")?;
    write("spin/opsware-ca.crt", "opsware-ca")?;
    write("agent/agent-ca.crt", "agent-ca")?;
    if host.has(Component::Spin) {
        write("spin/spin-developer.p12", "spin-developer")?;
    }
    if host.has(Component::Occ) {
        write("occ/browser.p12", "browser")?;
        write("twist/twist-key.pem", "twist")?;
    }
    if host.has(Component::Way) {
        write("waybot/waybot.srv", "waybot")?;
    }
    if host.has(Component::SatGateway) {
        // The certificate's directory has the gateway's name, which that of the settings lacks (TRAP-14).
        let service = format!("opswgw-{}", host.name);
        write(&format!("{service}/opswgw.pem"), &service)?;
    }
    if host.has(Component::Gateway) {
        for kind in ["cgw0", "agw0"] {
            let service = host.gateway_service(kind);
            write(&format!("{service}/opswgw.pem"), &service)?;
        }
    }
    Ok(())
}

/// Something that looks like a certificate with its key, and tells its name as `openssl` would.
fn certificate(name: &str) -> String {
    let body = "MIIBszCCARygAwIBAgIBADANBgkqhkiG9w0BAQQFADAhMQ8wDQYDVQQKEwZMYWIg";
    format!(
        "subject=/O=Opsware/CN={name}\nissuer=/O=Opsware/CN=opsware-ca\n-----BEGIN CERTIFICATE-----\n{body}\n\
         -----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n"
    )
}

/// Writes what the parameters of the response file are checked against.
pub(super) fn data(site: &Site, place: &Place) -> io::Result<()> {
    let Some(core) = site.core() else {
        return Ok(());
    };
    let secret = |name: &str| parameters::secret_value(&site.world, core, name);
    let host = &site.host;
    if host.has(Component::Occ) {
        place.file(
            &format!("{CRYPTO}/twist/detuserpwd"),
            0o600,
            &format!("{}\n", secret("truth.detuserpwd")),
        )?;
        let record = format!(
            "dn: uid=admin,ou=people,@realm@\nobjectclass: inetOrgPerson\nuid: admin\n\n\
             dn: uid=integration,ou=people,@realm@\nobjectclass: inetOrgPerson\nuid: integration\nuserpassword: {}\n",
            secret("twist.integration.passwd")
        );
        place.file(
            "/opt/opsware/twist/DefaultAuthenticatorInit.ldift",
            0o600,
            &record,
        )?;
    }
    if host.has(Component::Buildmgr) {
        let text = secret("twist.buildmgr.passwd");
        place.file(&format!("{CRYPTO}/buildmgr/twist.passwd"), 0o600, &text)?;
    }
    if host.has(Component::Boot) {
        place.file(
            "/opt/OPSWboot/jumpstart/Boot/etc/.speed_duplex.state",
            0o644,
            "autoneg\n",
        )?;
    }
    if host.has(Component::Word) {
        windows_utilities(place)?;
    }
    if host.has(Component::Media) {
        media_server(site, place)?;
    }
    Ok(())
}

fn windows_utilities(place: &Place) -> io::Result<()> {
    let names = [
        "mbsacli.exe",
        "qchain.exe",
        "wsusscn2.cab",
        "WindowsUpdateAgent20-x86.exe",
        "WindowsUpdateAgent20-x64.exe",
        "mbsacli20.exe",
        "wusscan.dll",
    ];
    names
        .iter()
        .try_for_each(|name| place.file(&format!("{WINDOWS_UTILITIES}/{name}"), 0o644, "MZ lab\n"))
}

fn media_server(site: &Site, place: &Place) -> io::Result<()> {
    let paths = [
        "/media/opsware/linux",
        "/media/opsware/sunos",
        "/media/opsware/windows",
    ];
    paths.iter().try_for_each(|path| place.directory(path))?;
    let share = "[OSMEDIA]\n  path = /media/opsware/windows\n";
    place.file("/opt/OPSWsamba/etc/smb.conf", 0o644, share)?;
    if site.is_solaris() {
        let lines: String = paths
            .iter()
            .take(2)
            .map(|path| format!("share -F nfs -o ro -d \"OS media\" {path}\n"))
            .collect();
        return place.file("/etc/dfs/dfstab", 0o644, &lines);
    }
    let lines: String = paths
        .iter()
        .take(2)
        .map(|path| format!("{path} *(ro,async)\n"))
        .collect();
    place.append("/etc/exports", &lines)
}
