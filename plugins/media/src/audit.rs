//! `media_audit`: where the audit file system of the Global Shell is mounted, if it is.

use sasrun_plugin::{Arguments, Call, Host, ModuleResult, Outcome};

use crate::look::look;
use crate::mount_table::Mount;

/// Limit of reading the mount table, in milliseconds.
const LIMIT_MS: u64 = 60_000;

/// Carries out the module.
pub(crate) async fn audit(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let seen = look(&host, None, LIMIT_MS).await?;
    let given = |name: &str| arguments.text(name).filter(|text| !text.is_empty());
    let found = find(
        &seen.table,
        given("remote_host"),
        given("remote_path"),
        &arguments.strings("mount_points"),
    );
    let reason = match found {
        Some(mount) if mount.is_nfs() => {
            format!("{} is mounted on {} by NFS", mount.source, mount.point)
        }
        Some(mount) => format!("it is mounted on {}, but not by NFS", mount.point),
        None => "it is not mounted".to_owned(),
    };
    let mount = found.cloned().unwrap_or_default();
    Ok(Outcome::unchanged()
        .with("applicable", mount.is_nfs())
        .with("mounted", found.is_some())
        .with("mount_point", mount.point)
        .with("source", mount.source)
        .with("filesystem", mount.filesystem)
        .with("reason", reason))
}

/// By its source first, for the mount point is any site's choice; else at a known place.
fn find<'a>(
    table: &'a [Mount],
    remote_host: Option<&str>,
    remote_path: Option<&str>,
    points: &[String],
) -> Option<&'a Mount> {
    let tidy = |path: &str| path.trim_end_matches('/').to_owned();
    let by_source = |path: &str| {
        let of_path = |mount: &&Mount| {
            mount.is_nfs()
                && mount
                    .source
                    .rsplit_once(':')
                    .is_some_and(|(_, remote)| tidy(remote) == tidy(path))
        };
        let mut mounts: Vec<&Mount> = table.iter().filter(of_path).collect();
        if let (Some(host), true) = (remote_host, mounts.len() > 1) {
            mounts.retain(|mount| mount.source.starts_with(&format!("{host}:")));
        }
        mounts.pop()
    };
    let by_point = || {
        points
            .iter()
            .find_map(|point| table.iter().rev().find(|mount| mount.point == tidy(point)))
    };
    remote_path.and_then(by_source).or_else(by_point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mount_table::read;

    #[test]
    fn found_by_source_at_any_place_else_at_a_known_one() {
        let known = vec!["/var/opt/opsware/ogfs/mnt/audit".to_owned()];
        let elsewhere = "/dev/sda1 / ext3 rw\nfiler:/vol/audit /srv/audit nfs rw\nfiler:/vol/store /srv/store nfs rw\n";
        let usual = "/dev/sda1 / ext3 rw\nold:/x /var/opt/opsware/ogfs/mnt/audit nfs rw\n";
        let local = "/dev/sda1 / ufs rw\n/export/audit /var/opt/opsware/ogfs/mnt/audit lofs rw\n";
        let two = "a:/vol/audit /m1 nfs rw\nb:/vol/audit /m2 nfs rw\n";
        let cases = [
            (
                elsewhere,
                None,
                Some("/vol/audit/"),
                Some("/srv/audit"),
                true,
            ),
            (elsewhere, None, None, None, false),
            (
                usual,
                None,
                Some("/vol/audit"),
                Some("/var/opt/opsware/ogfs/mnt/audit"),
                true,
            ),
            (
                local,
                None,
                None,
                Some("/var/opt/opsware/ogfs/mnt/audit"),
                false,
            ),
            (two, Some("a"), Some("/vol/audit"), Some("/m1"), true),
        ];
        for (text, host, path, point, nfs) in cases {
            let table = read(text);
            let found = find(&table, host, path, &known);
            assert_eq!(found.map(|mount| mount.point.as_str()), point, "{text}");
            assert_eq!(found.is_some_and(Mount::is_nfs), nfs, "{text}");
        }
    }
}
