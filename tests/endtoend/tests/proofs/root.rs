//! Disposable roots: an overlay over this machine's own, and one of busybox alone. Each run has
//! namespaces of its own, so nothing it mounts or starts outlives it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sasrun_endtoend::{Ended, Site, program};

use super::case::Case;

/// Which system the root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Debian,
    Busybox,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Debian => "debian",
            Kind::Busybox => "busybox",
        }
    }
}

/// Mounts the root, enters it and runs what is asked. Arguments: kind, folder of the root, the
/// site's folder, the program, command and its words.
const ENTER: &str = r#"set -e
kind=$1; folder=$2; site=$3; program=$4; shift 4
root=$folder/root
if [ $kind = debian ]; then
    mount -t overlay proof -o lowerdir=/,upperdir=$folder/upper,workdir=$folder/work $root
    mkdir -p $root/proof
else
    mount --bind $folder/upper $root
fi
mount --bind "$program" $site/sasrun
mount --rbind $site $root/proof
mount -t proc proc $root/proc
mount --rbind /dev $root/dev
exec chroot $root /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root SASRUN_STATE=/proof/state "$@"
"#;

/// Makes the root of busybox: its applets, what the program is linked to, and a few accounts.
const BUSYBOX: &str = r#"set -e
upper=$1; program=$2
cd $upper
mkdir -p bin sbin usr/bin usr/sbin lib lib64 etc root tmp proc dev proof var/spool usr/local/bin
cp `command -v busybox` bin/busybox
chroot . /bin/busybox true 2>/dev/null || true
for l in `ldd "$program" bin/busybox 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u`; do
    mkdir -p ".`dirname $l`"; cp -L "$l" ".$l"
done
for a in `bin/busybox --list`; do [ $a = busybox ] || ln -sf /bin/busybox bin/$a; done
ln -sf /bin/busybox usr/bin/env
echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
echo 'root:*:19000:0:99999:7:::' > etc/shadow
chmod 1777 tmp
"#;

pub struct Root {
    kind: Kind,
    site: Site,
    folder: tempfile::TempDir,
}

/// What is known of a path: kind, mode, owner, group, size, time and content.
pub type Snapshot = BTreeMap<PathBuf, String>;

impl Root {
    /// Makes a root; none where this machine does not allow it.
    pub fn new(kind: Kind) -> Option<Self> {
        // An overlay cannot lie on another; memory always takes it.
        let place = Path::new("/dev/shm");
        let place = if place.is_dir() {
            place.to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = tempfile::Builder::new()
            .prefix("sasrun-proof-")
            .tempdir_in(place)
            .unwrap();
        for name in ["upper", "work", "root"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let site = Site::new();
        site.file("enter.sh", ENTER)
            .file("busybox.sh", BUSYBOX)
            .file("sasrun", "");
        let root = Self { kind, site, folder };
        if kind == Kind::Busybox {
            let made = Command::new("sh")
                .arg(root.site.path("busybox.sh"))
                .arg(root.folder.path().join("upper"))
                .arg(program())
                .output()
                .unwrap();
            if !made.status.success() {
                return None;
            }
        }
        let tried = root.run(&["/bin/sh", "-c", "exit 0"]);
        (tried.code == Some(0)).then_some(root)
    }

    fn run(&self, words: &[&str]) -> Ended {
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "--uts",
                "--ipc",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--propagation",
                "private",
            ])
            .arg("sh")
            .arg(self.site.path("enter.sh"))
            .arg(self.kind.name())
            .arg(self.folder.path())
            .arg(self.site.folder())
            .arg(program())
            .args(words)
            .stdin(std::process::Stdio::null());
        self.site.end(command, b"")
    }

    /// Whether the root has a program.
    pub fn has(&self, program: &str) -> bool {
        let script = format!("command -v {program} >/dev/null");
        self.run(&["/bin/sh", "-c", &script]).code == Some(0)
    }

    /// Prepares what the cases begin with.
    #[track_caller]
    pub fn prepare(&self, cases: &[Case]) {
        let mut script = String::new();
        let to_do = || {
            cases
                .iter()
                .enumerate()
                .filter(|(_, case)| !case.before.is_empty())
        };
        for (at, case) in to_do() {
            script.push_str(&format!("( set -e\n{}\necho '@{at}' )\n", case.before));
        }
        self.site.file("prepare.sh", &script);
        let ended = self.run(&["/bin/sh", "/proof/prepare.sh"]);
        for (at, case) in to_do() {
            let is_ready = ended.stdout.lines().any(|line| line == format!("@{at}"));
            assert!(
                is_ready,
                "cannot be prepared: {}\n{}",
                case.title,
                ended.said()
            );
        }
    }

    /// Runs the playbook inside.
    pub fn playbook(&self, play: &str, options: &[&str]) -> Ended {
        self.site.file("play.yml", play).file("events.jsonl", "");
        let mut words = vec![
            "/proof/sasrun",
            "playbook",
            "/proof/play.yml",
            "--events",
            "/proof/events.jsonl",
        ];
        words.extend(options);
        self.run(&words)
    }

    /// Says which cases did not come to what they must.
    pub fn failed_after(&self, cases: &[Case]) -> Vec<String> {
        let mut script = String::new();
        for (at, case) in cases
            .iter()
            .enumerate()
            .filter(|(_, case)| !case.after.is_empty())
        {
            script.push_str(&format!(
                "( set -e\n{}\n) >/dev/null\nif [ $? -ne 0 ]; then echo '@{at}'; fi\n",
                case.after
            ));
        }
        self.site.file("after.sh", &script);
        let ended = self.run(&["/bin/sh", "/proof/after.sh"]);
        ended
            .stdout
            .lines()
            .filter_map(|line| cases.get(line.strip_prefix('@')?.parse::<usize>().ok()?))
            .map(|case| {
                format!(
                    "{}: afterwards this does not hold: {}",
                    case.title, case.after
                )
            })
            .collect()
    }

    /// Takes note of all that was written to the root so far.
    pub fn snapshot(&self) -> Snapshot {
        let mut found = Snapshot::new();
        let upper = self.folder.path().join("upper");
        collect(&upper, Path::new(""), &mut found);
        found
    }

    /// Names what is not as it was.
    pub fn differences(&self, before: &Snapshot) -> Vec<String> {
        let now = self.snapshot();
        let paths: std::collections::BTreeSet<&PathBuf> = before.keys().chain(now.keys()).collect();
        paths
            .into_iter()
            .filter(|path| before.get(*path) != now.get(*path))
            .map(|path| {
                let side =
                    |side: &Snapshot| side.get(path).cloned().unwrap_or_else(|| "nothing".into());
                format!("{}: {} became {}", path.display(), side(before), side(&now))
            })
            .collect()
    }
}

/// Places that are not the system's own, and caches that tools keep for themselves.
const NOT_LOOKED_AT: [&str; 6] = [
    "proof",
    "proc",
    "dev",
    "var/cache/apt",
    "var/cache/debconf",
    "var/lib/dpkg/lock",
];

fn collect(root: &Path, inside: &Path, found: &mut Snapshot) {
    for entry in fs::read_dir(root.join(inside)).unwrap() {
        let entry = entry.unwrap();
        let path = inside.join(entry.file_name());
        if NOT_LOOKED_AT.iter().any(|known| path == Path::new(known)) {
            continue;
        }
        let status = entry.path().symlink_metadata().unwrap();
        let mut line = format!(
            "mode {:o} owner {}:{}",
            status.mode(),
            status.uid(),
            status.gid()
        );
        if status.is_file() {
            let content = fs::read(entry.path()).unwrap();
            line.push_str(&format!(
                " time {}.{} content {:x}",
                status.mtime(),
                status.mtime_nsec(),
                hash(&content)
            ));
        } else if status.is_symlink() {
            line.push_str(&format!(
                " to {}",
                fs::read_link(entry.path()).unwrap().display()
            ));
        } else if status.is_dir() {
            collect(root, &path, found);
        }
        found.insert(path, line);
    }
}

fn hash(content: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}
