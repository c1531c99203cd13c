//! The files of a host before anything of the vendor is on it: directories, accounts, names.

use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use crate::account::users;
use crate::machine::namespaces::Rights;
use crate::paths::Private;
use crate::world::{Component, Host, Like, World};

/// Directories of every host, with their modes.
const DIRECTORIES: [(&str, u32); 38] = [
    ("", 0o755),
    ("boot", 0o755),
    ("dev", 0o755),
    ("dev/pts", 0o755),
    ("dev/shm", 0o1777),
    ("etc", 0o755),
    ("etc/alternatives", 0o755),
    ("etc/init.d", 0o755),
    ("etc/opt", 0o755),
    ("home", 0o755),
    ("depot", 0o755),
    ("media", 0o755),
    ("mnt", 0o755),
    ("opt", 0o755),
    ("proc", 0o555),
    ("root", 0o700),
    ("run", 0o755),
    ("run/sshd", 0o755),
    ("srv", 0o755),
    ("sys", 0o555),
    ("tmp", 0o1777),
    ("u01", 0o755),
    ("usr", 0o755),
    ("usr/bin", 0o755),
    ("usr/sbin", 0o755),
    ("usr/local", 0o755),
    ("usr/local/bin", 0o755),
    ("usr/local/sbin", 0o755),
    ("var", 0o755),
    ("var/log", 0o755),
    ("var/opt", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
    (".lab", 0o755),
    (".lab/bin", 0o755),
    (".lab/mesh", 0o755),
    (".lab/state", 0o777),
    (".lab/scratch", 0o777),
];

/// Devices that are bound from the machine: their places must exist.
const DEVICE_PLACES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Settings of the machine that its own programs need on a host.
const COPIED_SETTINGS: [&str; 8] = [
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "login.defs",
    "protocols",
    "services",
    "localtime",
    "locale.alias",
];

/// Lays out the root directory of a host.
pub fn lay_out(
    root: &Path,
    host: &Host,
    world: &World,
    like: Like,
    rights: Rights,
) -> io::Result<()> {
    for (name, mode) in DIRECTORIES {
        make_directory(&root.join(name), mode)?;
    }
    links_of_the_machine(root)?;
    devices(root)?;
    settings(root, host, world, like)?;
    homes(root, rights)?;
    let private = Private::below(root);
    std::fs::write(private.host(), serde_json::to_vec_pretty(host)?)?;
    std::fs::write(private.become_program(), "")?;
    std::fs::write(private.saslab(), "")
}

fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// `/bin`, `/lib` and their kin: links as on the machine, or places for its directories; places for the rest of `/usr`.
fn links_of_the_machine(root: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir("/")? {
        let name = entry?.file_name();
        if is_system(&name.to_string_lossy()) {
            mirror(&Path::new("/").join(&name), &root.join(&name))?;
        }
    }
    for entry in std::fs::read_dir("/usr")? {
        let name = entry?.file_name();
        if is_shared(&name.to_string_lossy()) {
            mirror(
                &Path::new("/usr").join(&name),
                &root.join("usr").join(&name),
            )?;
        }
    }
    make_directory(&root.join(".lab/usr"), 0o755)?;
    symlink("../var/tmp", root.join("usr/tmp"))?;
    symlink("../run", root.join("var/run"))
}

/// Entries of the machine's `/` that belong to its programs.
pub fn is_system(name: &str) -> bool {
    name == "bin" || name == "sbin" || name.starts_with("lib")
}

/// Entries of the machine's `/usr` that hosts see as they are.
pub fn is_shared(name: &str) -> bool {
    name.starts_with("lib") || matches!(name, "share" | "games" | "include" | "src")
}

fn mirror(source: &Path, target: &Path) -> io::Result<()> {
    let meta = source.symlink_metadata()?;
    if meta.is_symlink() {
        symlink(std::fs::read_link(source)?, target)
    } else if meta.is_dir() {
        std::fs::create_dir_all(target)
    } else {
        Ok(())
    }
}

fn devices(root: &Path) -> io::Result<()> {
    let dev = root.join("dev");
    for name in DEVICE_PLACES {
        std::fs::write(dev.join(name), "")?;
    }
    let links = [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ];
    for (name, target) in links {
        symlink(target, dev.join(name))?;
    }
    Ok(())
}

fn settings(root: &Path, host: &Host, world: &World, like: Like) -> io::Result<()> {
    let etc = root.join("etc");
    let bash = Path::new("/bin/bash").exists();
    std::fs::write(
        etc.join("passwd"),
        users::passwd(if bash { "/bin/bash" } else { "/bin/sh" }),
    )?;
    std::fs::write(etc.join("group"), users::group())?;
    std::fs::write(etc.join("hosts"), hosts_file(host, world))?;
    std::fs::write(etc.join("hostname"), format!("{}\n", host.name))?;
    std::fs::write(etc.join("resolv.conf"), "# names are in /etc/hosts\n")?;
    std::fs::write(
        etc.join("nsswitch.conf"),
        "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
    )?;
    std::fs::write(etc.join("shells"), "/bin/sh\n/bin/bash\n")?;
    std::fs::write(etc.join("profile"), "# /etc/profile\n")?;
    match like {
        Like::Linux => {
            std::fs::write(etc.join("fstab"), "/dev/sda1\t/\text3\tdefaults\t1 1\n")?;
            std::fs::write(
                etc.join("redhat-release"),
                "Red Hat Enterprise Linux AS release 4 (Nahant Update 5)\n",
            )?;
        }
        Like::Solaris => {
            std::fs::write(
                etc.join("vfstab"),
                "/dev/dsk/c0t0d0s0\t/dev/rdsk/c0t0d0s0\t/\tufs\t1\tno\t-\n",
            )?;
            std::fs::write(
                etc.join("mnttab"),
                "/dev/dsk/c0t0d0s0\t/\tufs\trw,intr,largefiles\t1180000000\n",
            )?;
            std::fs::write(
                etc.join("release"),
                "                        Solaris 10 11/06 s10s_u3wos_10 SPARC\n",
            )?;
        }
    }
    for name in COPIED_SETTINGS {
        let source = Path::new("/etc").join(name);
        if source.symlink_metadata().is_ok() {
            copy(&source, &etc.join(name))?;
        }
    }
    Ok(())
}

/// Copies a file, a link or a directory of them; what cannot be read is left out.
fn copy(source: &Path, target: &Path) -> io::Result<()> {
    let meta = source.symlink_metadata()?;
    if meta.is_symlink() {
        let to = std::fs::read_link(source)?;
        return if to.starts_with("/usr") || !to.is_absolute() {
            symlink(to, target)
        } else {
            Ok(())
        };
    }
    if meta.is_dir() {
        std::fs::create_dir_all(target)?;
        for entry in std::fs::read_dir(source)? {
            let name = entry?.file_name();
            copy(&source.join(&name), &target.join(&name))?;
        }
        return Ok(());
    }
    match std::fs::copy(source, target) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other.map(|_| ()),
    }
}

fn homes(root: &Path, rights: Rights) -> io::Result<()> {
    for (home, uid, gid) in users::homes() {
        let place = root.join(home.trim_start_matches('/'));
        make_directory(&place, 0o755)?;
        if rights == Rights::Root {
            chown(&place, Some(uid), Some(gid))?;
        }
    }
    Ok(())
}

/// The names by which the vendor's programs find each other inside a core.
const ALIASES: [(Component, &[&str]); 6] = [
    (Component::Truth, &["truth"]),
    (Component::Vault, &["mmopsw"]),
    (Component::Spin, &["spin"]),
    (Component::Way, &["way"]),
    (Component::Word, &["word", "theword", "wordcache"]),
    (Component::Occ, &["occ", "twist"]),
];

/// The hosts file of a host: every host of the mesh, and the aliases of its own core.
fn hosts_file(own: &Host, world: &World) -> String {
    let mut text = "127.0.0.1\tlocalhost localhost.localdomain\n".to_owned();
    for core in &world.cores {
        for host in &core.hosts {
            let _ = write!(
                text,
                "{}\t{} {}.{}.example",
                host.address, host.name, host.name, world.mesh
            );
            for (component, aliases) in ALIASES {
                let first = core
                    .host_with(component)
                    .is_some_and(|with| with.name == host.name);
                if first && core.name == own.core && !own.satellite {
                    let _ = write!(text, " {}", aliases.join(" "));
                }
            }
            text.push('\n');
        }
    }
    for host in &world.satellites {
        let _ = write!(
            text,
            "{}\t{} {}.{}.example",
            host.address, host.name, host.name, world.mesh
        );
        // A satellite has a cache of its own.
        text.push_str(if host.name == own.name {
            " wordcache\n"
        } else {
            "\n"
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../inventories/lab/mesh.yml");
        World::read(&path, None).unwrap()
    }

    #[test]
    fn aliases_name_the_servers_of_the_own_core() {
        let world = world();
        let a5 = hosts_file(world.host("a5").unwrap(), &world);
        assert!(
            a5.contains("127.61.1.1\ta1 a1.lab.example truth mmopsw spin\n"),
            "{a5}"
        );
        assert!(
            a5.contains("127.61.1.2\ta2 a2.lab.example way word theword wordcache\n"),
            "{a5}"
        );
        assert!(a5.contains("127.61.2.1\tb1 b1.lab.example\n"), "{a5}");
        let c1 = hosts_file(world.host("c1").unwrap(), &world);
        assert!(
            c1.contains("c1.lab.example truth mmopsw spin way word theword wordcache occ twist\n"),
            "{c1}"
        );
    }
}
