//! Looking at files: many of them in one script, one round trip.
//!
//! Each file's answer is one record; its fields are lines of `key value`, except for texts that may hold any byte but NUL, which
//! come last, each behind its length. Must not: trust a path's bytes to any line or field separator.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Problem, excerpt};
use crate::shell::quote;

/// A digest to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// MD5
    Md5,
    /// SHA-1
    Sha1,
    /// SHA-224
    Sha224,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl ChecksumAlgorithm {
    fn bits(self) -> &'static str {
        match self {
            Self::Md5 => "5",
            Self::Sha1 => "1",
            Self::Sha224 => "224",
            Self::Sha256 => "256",
            Self::Sha384 => "384",
            Self::Sha512 => "512",
        }
    }

    pub(super) fn hex_length(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// Shell text that prints the digest of `$1` wherever one of the usual programs is there.
    pub(crate) fn script(self) -> String {
        let bits = self.bits();
        let name = match self {
            Self::Md5 => "md5".to_owned(),
            _ => format!("sha{bits}"),
        };
        let shasum = match self {
            Self::Md5 => String::new(),
            _ => format!(" || shasum -a {bits} <\"$1\" 2>/dev/null"),
        };
        format!(
            "{{ {name}sum <\"$1\" 2>/dev/null{shasum} || digest -a {name} <\"$1\" 2>/dev/null || \
             openssl {name} <\"$1\" 2>/dev/null | sed 's/^.*= *//'; }}"
        )
    }
}

impl fmt::Display for ChecksumAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5 => f.write_str("md5"),
            other => write!(f, "sha{}", other.bits()),
        }
    }
}

/// What to find out about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatRequest {
    /// The path on the host.
    pub path: String,
    /// Looks at what a link leads to instead of at the link.
    pub follow: bool,
    /// The digest to take of a regular file's content.
    pub checksum: Option<ChecksumAlgorithm>,
}

impl StatRequest {
    /// Looks at a path itself, without a digest.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            follow: false,
            checksum: None,
        }
    }
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharacterDevice,
    /// A block device.
    BlockDevice,
}

impl FileKind {
    fn from_mode(mode: u32) -> Option<Self> {
        Some(match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Link,
            0o010_000 => Self::Fifo,
            0o140_000 => Self::Socket,
            0o020_000 => Self::CharacterDevice,
            0o060_000 => Self::BlockDevice,
            _ => return None,
        })
    }

    fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'-' => Self::File,
            b'd' => Self::Directory,
            b'l' => Self::Link,
            b'p' => Self::Fifo,
            b's' => Self::Socket,
            b'c' => Self::CharacterDevice,
            b'b' => Self::BlockDevice,
            _ => return None,
        })
    }
}

/// What is known of a path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileStat {
    /// Says whether there is anything; without, all else is empty.
    pub exists: bool,
    /// What it is.
    pub kind: Option<FileKind>,
    /// Permission bits, with set-id and sticky bits.
    pub mode: u32,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
    /// Name of the owner, where there is one.
    pub owner: Option<String>,
    /// Name of the group, where there is one.
    pub group: Option<String>,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970; `None` where the host cannot tell.
    pub mtime: Option<f64>,
    /// Last access, likewise.
    pub atime: Option<f64>,
    /// Last change of the inode, likewise.
    pub ctime: Option<f64>,
    /// Inode number.
    pub inode: u64,
    /// Device number.
    pub device: u64,
    /// Number of names.
    pub nlink: u64,
    /// What a link says, byte for byte where it is UTF-8.
    pub link_target: Option<String>,
    /// The path that a link leads to in the end, whether it was followed or not.
    pub link_source: Option<String>,
    /// Says whether the identity may read it.
    pub readable: bool,
    /// Says whether the identity may write it.
    pub writable: bool,
    /// Says whether the identity may execute or search it.
    pub executable: bool,
    /// The digest that was asked for; `None` when the file cannot be read or the host has no program for it.
    pub checksum: Option<(ChecksumAlgorithm, String)>,
}

/// Writes the functions that look at `$1`, into variables or as an answer: `$2` is 1 to follow links.
///
/// Of a link that is followed only where it leads to is told. GNU and busybox `stat` first (fractions
/// of seconds where they know them), BSD's second, `ls` on systems without any; what is not there is
/// seen by the shell itself where it is a Linux one, which knows `-S`.
pub(crate) fn functions(algorithms: &[ChecksumAlgorithm]) -> String {
    let mut script = String::from(STAT_FUNCTION);
    let mut seen: Vec<ChecksumAlgorithm> = Vec::new();
    for &algorithm in algorithms {
        if !seen.contains(&algorithm) {
            seen.push(algorithm);
            script.push_str(&format!("_h{algorithm}() {{ {}; }}\n", algorithm.script()));
        }
    }
    script
}

const STAT_FUNCTION: &str = r#"
_see() {
_l=
if [ $2 = 1 ]; then _l=-L; fi
if [ -f "$1" ] || [ -d "$1" ] || [ -h "$1" ]; then :
elif [ -h /proc/self/exe ]; then
if [ -S "$1" ] || [ -p "$1" ] || [ -c "$1" ] || [ -b "$1" ]; then :; else return 1; fi
elif ls -d "$1" >/dev/null 2>&1; then :
else return 1
fi
if _o=`stat $_l -c 'g %f %u %g %s %.9Y %.9X %.9Z %i %d %h %U %G' "$1" 2>/dev/null` && [ -n "$_o" ]; then :
elif _o=`stat $_l -f 'b %p %u %g %z %m %a %c %i %d %l %Su %Sg' "$1" 2>/dev/null` && [ -n "$_o" ]; then :
elif _o=`ls -ldn $_l "$1" 2>/dev/null` && [ -n "$_o" ]; then
_o=`echo "$_o" | awk 'NR == 1 { print "l", $1, $3, $4, $5, $2 }'`
_n=`ls -ldi $_l "$1" 2>/dev/null | awk 'NR == 1 { print $1, $4, $5 }'`
_o="$_o $_n"
else return 1
fi
_r=0 _w=0 _e=0
if [ -r "$1" ]; then _r=1; fi
if [ -w "$1" ]; then _w=1; fi
if [ -x "$1" ]; then _e=1; fi
}
_stat() {
if _see "$1" $2; then :; else echo -; return; fi
echo "$_o"
echo "a $_r $_w $_e"
if [ -h "$1" ]; then
if [ $2 = 0 ]; then
_l=`readlink "$1" 2>/dev/null && echo x`
case $_l in
''|*"
"*"
x"|*\\*)
echo "t `{ readlink "$1" 2>/dev/null || ls -ld "$1" | sed 's/^.* -> //'; } | wc -c`"
readlink "$1" 2>/dev/null || ls -ld "$1" | sed 's/^.* -> //' ;;
*) echo "T $_l" ;;
esac
fi
_l=`readlink -f "$1" 2>/dev/null && echo x`
case $_l in
''|*"
"*"
x"|*\\*)
echo "s `{ readlink -f "$1" || realpath "$1"; } 2>/dev/null | wc -c`"
{ readlink -f "$1" || realpath "$1"; } 2>/dev/null ;;
*) echo "S $_l" ;;
esac
fi
}
"#;

/// Writes the kind of `$1`, links followed, without starting a program.
pub(crate) const KIND_FUNCTION: &str = r#"
_kind() {
if [ -d "$1" ]; then echo "k d"
elif [ -f "$1" ]; then echo "k -"
elif [ -h "$1" ]; then echo "k l"
elif [ -p "$1" ]; then echo "k p"
elif [ -c "$1" ]; then echo "k c"
elif [ -b "$1" ]; then echo "k b"
elif [ -h /proc/self/exe ]; then
if [ -S "$1" ]; then echo "k s"; fi
elif ls -d "$1" >/dev/null 2>&1; then echo "k s"
fi
echo .
}
"#;

/// Writes the call that tells a path's kind.
pub(crate) fn call_kind_into(script: &mut String, path: &str) -> Result<(), Problem> {
    check_path(path)?;
    script.push_str(&format!("_kind {}\n", quote::path(path)));
    Ok(())
}

/// Refuses what no path can be.
pub(super) fn check_path(path: &str) -> Result<(), Problem> {
    if path.contains('\0') || path.is_empty() {
        return Err(Problem::Request {
            reason: format!("{path:?} is no path"),
        });
    }
    Ok(())
}

/// Writes the call that answers one request; `functions` must have come before.
pub(crate) fn call_into(script: &mut String, request: &StatRequest) -> Result<(), Problem> {
    check_path(&request.path)?;
    let path = quote::path(&request.path);
    let follow = u8::from(request.follow);
    script.push_str(&format!("_stat {path} {follow}\n"));
    if let Some(algorithm) = request.checksum {
        script.push_str(&format!(
            "if [ -f {path} ] && [ -r {path} ]; then echo \"h `_h{algorithm} {path}`\"; fi\n"
        ));
    }
    script.push_str("echo .\n");
    Ok(())
}

/// Reads the answers to several requests.
pub(crate) fn parse(answer: &[u8], requests: &[StatRequest]) -> Result<Vec<FileStat>, Problem> {
    let mut lines = Lines { rest: answer };
    requests
        .iter()
        .map(|request| {
            record(&mut lines, request).ok_or_else(|| Problem::Protocol {
                request: "a look at files",
                answer: excerpt(answer),
            })
        })
        .collect()
}

/// An answer, taken line by line.
pub(super) struct Lines<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Lines<'a> {
    pub(super) fn line(&mut self) -> Option<Cow<'a, str>> {
        let end = memchr::memchr(b'\n', self.rest)?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..)?;
        Some(String::from_utf8_lossy(line))
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.rest.get(..count)?;
        self.rest = self.rest.get(count..)?;
        Some(bytes)
    }
}

/// Reads one record, up to its end.
pub(super) fn record(lines: &mut Lines<'_>, request: &StatRequest) -> Option<FileStat> {
    let mut stat = FileStat::default();
    loop {
        let line = lines.line()?;
        let (key, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let words: Vec<&str> = rest.split_whitespace().collect();
        match key {
            "." => return Some(stat),
            "-" => {}
            "g" => numbers(&mut stat, &words, 16)?,
            "b" => numbers(&mut stat, &words, 8)?,
            "l" => listing(&mut stat, &words)?,
            "a" => {
                let is = |at: usize| words.get(at) == Some(&"1");
                (stat.readable, stat.writable, stat.executable) = (is(0), is(1), is(2));
            }
            "k" => {
                stat.exists = true;
                stat.kind = FileKind::from_letter(*words.first()?.as_bytes().first()?);
            }
            // A text in one line; its mark of the end has a line of its own.
            "T" | "S" => {
                let told = Some(rest.to_owned()).filter(|text| !text.is_empty());
                if key == "T" {
                    stat.link_target = told;
                } else {
                    stat.link_source = told;
                }
                lines.line().filter(|end| *end == "x")?;
            }
            "t" => stat.link_target = text(lines, &words)?,
            "s" => stat.link_source = text(lines, &words)?,
            "h" => {
                let algorithm = request.checksum?;
                stat.checksum = words
                    .first()
                    .filter(|hex| hex.len() == algorithm.hex_length())
                    .map(|hex| (algorithm, hex.to_ascii_lowercase()));
            }
            _ => return None,
        }
    }
}

/// A text behind its length, with the newline that its program added.
fn text(lines: &mut Lines<'_>, words: &[&str]) -> Option<Option<String>> {
    let length: usize = words.first()?.parse().ok()?;
    let bytes = lines.bytes(length)?;
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    Some((!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned()))
}

/// Takes up what `stat` printed.
pub(super) fn numbers(stat: &mut FileStat, words: &[&str], mode_radix: u32) -> Option<()> {
    let word = |at: usize| words.get(at).copied();
    let number = |at: usize| word(at)?.parse::<u64>().ok();
    let time = |at: usize| word(at)?.parse::<f64>().ok();
    // Absent names are told as UNKNOWN or as the number itself.
    let name = |at: usize, id: u32| {
        word(at)
            .filter(|name| *name != "UNKNOWN" && *name != id.to_string())
            .map(str::to_owned)
    };
    let mode = u32::from_str_radix(word(0)?, mode_radix).ok()?;
    stat.exists = true;
    stat.kind = FileKind::from_mode(mode);
    stat.mode = mode & 0o7777;
    stat.uid = word(1)?.parse().ok()?;
    stat.gid = word(2)?.parse().ok()?;
    stat.size = number(3)?;
    (stat.mtime, stat.atime, stat.ctime) = (time(4), time(5), time(6));
    stat.inode = number(7)?;
    stat.device = number(8).unwrap_or_default();
    stat.nlink = number(9)?;
    stat.owner = name(10, stat.uid);
    stat.group = name(11, stat.gid);
    Some(())
}

/// Reads `-rw-r--r-- uid gid size links inode owner group`, from `ls`.
fn listing(stat: &mut FileStat, words: &[&str]) -> Option<()> {
    let [modes, uid, gid, size, links, inode, owner, group] = words else {
        return None;
    };
    let letters = modes.as_bytes();
    stat.exists = true;
    stat.kind = FileKind::from_letter(*letters.first()?);
    stat.mode = mode_of_letters(letters.get(1..10)?);
    stat.uid = uid.parse().ok()?;
    stat.gid = gid.parse().ok()?;
    // A device has two numbers where others have a size.
    stat.size = size.parse().unwrap_or_default();
    stat.nlink = links.parse().ok()?;
    stat.inode = inode.parse().ok()?;
    stat.owner = Some((*owner).to_owned()).filter(|name| name != uid);
    stat.group = Some((*group).to_owned()).filter(|name| name != gid);
    Some(())
}

fn mode_of_letters(letters: &[u8]) -> u32 {
    let mut mode = 0;
    for (at, &letter) in letters.iter().enumerate() {
        let bit = 1 << (8 - at);
        match letter {
            b'r' | b'w' | b'x' | b's' | b't' => mode |= bit,
            _ => {}
        }
        mode |= match (at, letter) {
            (2, b's' | b'S') => 0o4000,
            (5, b's' | b'S' | b'l') => 0o2000,
            (8, b't' | b'T') => 0o1000,
            _ => 0,
        };
    }
    mode
}

/// For the test that looks at every script.
#[cfg(test)]
pub(crate) fn every_script() -> String {
    use ChecksumAlgorithm::{Md5, Sha1, Sha224, Sha256, Sha384, Sha512};
    functions(&[Md5, Sha1, Sha224, Sha256, Sha384, Sha512])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_gnu_bsd_and_ls_are_read() {
        let request = StatRequest {
            checksum: Some(ChecksumAlgorithm::Sha1),
            ..StatRequest::new("/x")
        };
        let gnu = "g 81ed 0 0 12 1700000000 1700000001 1700000002 42 2049 1 root root\na 1 1 0\n\
                   h da39a3ee5e6b4b0d3255bfef95601890afd80709  -\n.\n";
        let stat = parse(gnu.as_bytes(), std::slice::from_ref(&request))
            .unwrap()
            .remove(0);
        assert_eq!(
            (stat.kind, stat.mode, stat.size),
            (Some(FileKind::File), 0o755, 12)
        );
        assert_eq!(stat.owner.as_deref(), Some("root"));
        assert!(stat.readable && !stat.executable);
        assert!(stat.checksum.as_ref().unwrap().1.starts_with("da39"));

        let bsd = "b 41777 0 0 12 1700000000 1 2 42 2049 1 root 7\na 1 1 1\n.\n";
        let stat = parse(bsd.as_bytes(), std::slice::from_ref(&request))
            .unwrap()
            .remove(0);
        assert_eq!((stat.kind, stat.mode), (Some(FileKind::Directory), 0o1777));

        let link =
            "g a1ff 0 0 3 1 1 1 9 1 1 root root\na 1 1 1\nT ../a b\nx\nS /c\nx\n.\nk d\n.\n.\n";
        let stats = parse(
            link.as_bytes(),
            &[request.clone(), request.clone(), request.clone()],
        )
        .unwrap();
        assert_eq!(stats[0].link_target.as_deref(), Some("../a b"));
        assert_eq!(stats[0].link_source.as_deref(), Some("/c"));
        assert_eq!(stats[1].kind, Some(FileKind::Directory));
        assert!(!stats[2].exists);

        let solaris = "l lrwxrwxrwx 0 3 9 1 77 root sys\na 1 1 1\nt 3\na\nb\ns 0\n.\n-\n.\n";
        let requests = [request.clone(), request];
        let stats = parse(solaris.replace("t 3", "t 4").as_bytes(), &requests).unwrap();
        assert_eq!(stats[0].link_target.as_deref(), Some("a\nb"));
        assert_eq!(stats[0].group.as_deref(), Some("sys"));
        assert_eq!(stats[0].link_source, None);
        assert!(!stats[1].exists);
    }

    #[test]
    fn nonsense_is_no_answer() {
        let requests = [StatRequest::new("/x")];
        for answer in [
            "",
            "g 81ed\n.\n",
            "t 99\nx\n.\n",
            "hello\n.\n",
            "g 81ed 0 0",
        ] {
            assert!(parse(answer.as_bytes(), &requests).is_err(), "{answer}");
        }
    }

    #[test]
    fn letters_of_modes_are_read() {
        for (letters, mode) in [
            ("rwxr-xr-x", 0o755),
            ("rwsr-S--T", 0o7740),
            ("---------", 0),
        ] {
            assert_eq!(mode_of_letters(letters.as_bytes()), mode, "{letters}");
        }
    }
}
