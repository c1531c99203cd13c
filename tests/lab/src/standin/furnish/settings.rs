//! Response files and the settings of the components.

use std::io;
use std::path::Path;

use super::place::{INSTALLED, Place};
use crate::standin::component::{CATALOG, SATELLITE, package_version};
use crate::standin::response::dialect::Dialect;
use crate::standin::response::parameters;
use crate::standin::response::timestamp::Form;
use crate::standin::response::{DIRECTORY, RELEASE_PARAMETER};
use crate::standin::site::Site;

/// When the response file before the newest was saved: half a year earlier.
const EARLIER: u64 = 1_180_000_000;

/// Writes the two response files that every server of a core has.
pub(super) fn response_files(site: &Site, place: &Place) -> io::Result<()> {
    let Some(core) = site.core() else {
        return Ok(());
    };
    let facility = core.facility.id;
    let dialect = Dialect::of_facility(facility);
    let mut values = parameters::of_host(&site.world, core, &site.host);
    let first = if site.host.satellite {
        "sat_gateway"
    } else {
        "truth"
    };
    let release = format!("opsware_{}", package_version(site.first_release(first)));
    values.push((RELEASE_PARAMETER.to_owned(), release));
    for (at, is_newest) in [(EARLIER, false), (INSTALLED, true)] {
        let mut values = values.clone();
        if is_newest {
            stage(site, &mut values);
        } else {
            set(
                &mut values,
                "truth.dcDispNm",
                "Facility before it was named",
            );
        }
        let path = format!("{DIRECTORY}/resp.{}", Form::of_facility(facility).write(at));
        let text = dialect.write("Opsware Installer response file", &values);
        place.dated(&path, 0o600, &text, at)?;
    }
    Ok(())
}

/// Puts in what the scenario says of the core's and of the host's files.
fn stage(site: &Site, values: &mut Vec<(String, String)>) {
    let of_core = site.core_faults().response;
    for (name, value) in of_core.iter().chain(&site.faults().response) {
        set(values, name, value);
    }
}

fn set(values: &mut Vec<(String, String)>, name: &str, value: &str) {
    match values.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => values.push((name.to_owned(), value.to_owned())),
    }
}

/// Writes the settings files of the components of this host.
pub(super) fn of_components(site: &Site, place: &Place) -> io::Result<()> {
    let here = CATALOG
        .iter()
        .chain(SATELLITE)
        .filter(|facts| site.host.components.iter().any(|one| one.id() == facts.id));
    for path in here.flat_map(|facts| facts.settings) {
        place.file(path, 0o644, &text(path))?;
    }
    Ok(())
}

fn text(path: &str) -> String {
    let name = Path::new(path)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    match name {
        "dhcpd.conf" => {
            "# dhcpd.conf\n#authoritative;\ndefault-lease-time 600;\nmax-lease-time 7200;\nddns-update-style none;\n"
                .to_owned()
        }
        "smb.conf" => "[global]\n  workgroup = OPSWARE\n\n[OSMEDIA]\n  path = /media/opsware/windows\n  read only = yes\n"
            .to_owned(),
        other => format!("# {other}\nlog.level=info\n"),
    }
}
