//! Looks at many files: a few programs for all of them instead of a few for each.
//!
//! The shell tells what is there, then one `stat` and one program for digests take all paths. Where
//! their answers do not fit what the shell saw, the caller looks at each file by itself.

use crate::file::stat::{self, ChecksumAlgorithm, FileStat, Lines, StatRequest};
use crate::shell::quote;

/// Fewer looks are cheaper one by one.
pub(super) const MANY: usize = 16;

/// Looks that go to the same programs.
type Kind = (bool, Option<ChecksumAlgorithm>);

/// Tells of each path: `n` nothing, `e` and its rights, `i` and a record of its own; then what the
/// programs say. `$1` is 1 to follow links, `$2` the program of digests or `-`.
const FUNCTION: &str = r#"
_many() {
_mg=$1 _mc=$2 _mq=0
shift; shift
for _mp in "$@"; do
if [ $_mg = 0 ] && [ -h "$_mp" ]; then
echo i; _mq=1
_stat "$_mp" 0
if [ $_mc != - ] && [ -f "$_mp" ] && [ -r "$_mp" ]; then _mh=`$_mc <"$_mp"`; echo "h $_mh"; fi
echo .
continue
fi
_r=0 _w=0 _e=0 _md=0
if [ -f "$_mp" ]; then
if [ $_mc = - ]; then :; elif [ -r "$_mp" ]; then _md=1; else _mq=1; fi
elif [ -d "$_mp" ] || [ -p "$_mp" ] || [ -c "$_mp" ] || [ -b "$_mp" ]; then _mq=1
elif [ -h /proc/self/exe ] && [ -S "$_mp" ]; then _mq=1
else echo n; continue
fi
if [ -r "$_mp" ]; then _r=1; fi
if [ -w "$_mp" ]; then _w=1; fi
if [ -x "$_mp" ]; then _e=1; fi
echo "e $_r $_w $_e $_md"
done
echo =
_l=
if [ $_mg = 1 ]; then _l=-L; fi
stat $_l -c 'g %f %u %g %s %Y %X %Z %i %d %h %U %G' "$@" 2>/dev/null
echo =
if [ $_mc != - ]; then
if [ $_mq = 1 ]; then
# Only files: a pipe would be waited for.
for _mp in "$@"; do
shift
if [ -f "$_mp" ] && [ -r "$_mp" ]; then set x "$@" "$_mp"; shift; fi
done
fi
if [ $# -gt 0 ]; then $_mc "$@" 2>/dev/null </dev/null; fi
fi
echo =
}
"#;

fn kinds(requests: &[StatRequest]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for request in requests {
        let kind = (request.follow, request.checksum);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

fn of_kind(requests: &[StatRequest], kind: Kind) -> impl Iterator<Item = (usize, &StatRequest)> {
    let numbered = requests.iter().enumerate();
    numbered.filter(move |(_, request)| (request.follow, request.checksum) == kind)
}

/// Writes the look at all paths; the functions of `stat` must have come before.
pub(super) fn script_into(script: &mut String, requests: &[StatRequest]) {
    script.push_str(FUNCTION);
    for kind in kinds(requests) {
        let program = kind.1.map_or("-".to_owned(), |sum| format!("{sum}sum"));
        script.push_str(&format!("_many {} {program}", u8::from(kind.0)));
        for (_, request) in of_kind(requests, kind) {
            script.push(' ');
            script.push_str(&quote::path(&request.path));
        }
        script.push('\n');
    }
}

/// Reads the answers; none when the programs did not answer for every path.
pub(super) fn parse(answer: &[u8], requests: &[StatRequest]) -> Option<Vec<FileStat>> {
    let mut stats = vec![FileStat::default(); requests.len()];
    let mut lines = Lines { rest: answer };
    for kind in kinds(requests) {
        let asked: Vec<usize> = of_kind(requests, kind).map(|(at, _)| at).collect();
        section(&mut lines, requests, &asked, &mut stats)?;
    }
    lines.rest.is_empty().then_some(stats)
}

/// One kind of looks: what the shell saw, what `stat` says, what the digests are.
fn section(
    lines: &mut Lines<'_>,
    requests: &[StatRequest],
    asked: &[usize],
    stats: &mut [FileStat],
) -> Option<()> {
    let (mut looked, mut summed) = (Vec::new(), Vec::new());
    for &at in asked {
        let (request, stat) = (requests.get(at)?, stats.get_mut(at)?);
        let line = lines.line()?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["n"] => {}
            // A link has a record of its own; `stat` and the digests tell of it once more.
            ["i"] => {
                *stat = stat::record(lines, request)?;
                looked.push(None);
                if stat.checksum.is_some() {
                    summed.push(None);
                }
            }
            ["e", readable, writable, executable, sum] => {
                stat.readable = readable == "1";
                stat.writable = writable == "1";
                stat.executable = executable == "1";
                looked.push(Some(at));
                if sum == "1" {
                    summed.push(Some(at));
                }
            }
            _ => return None,
        }
    }
    end(lines)?;
    for at in looked {
        let line = lines.line()?;
        let words: Vec<&str> = line.strip_prefix("g ")?.split_whitespace().collect();
        let mut aside = FileStat::default();
        let stat = match at {
            Some(at) => stats.get_mut(at)?,
            None => &mut aside,
        };
        stat::numbers(stat, &words, 16)?;
    }
    end(lines)?;
    for at in summed {
        let line = lines.line()?;
        let Some(at) = at else { continue };
        let (stat, algorithm) = (stats.get_mut(at)?, requests.get(at)?.checksum?);
        let hex = line.trim_start_matches('\\').split(' ').next()?;
        if hex.len() != algorithm.hex_length() {
            return None;
        }
        stat.checksum = Some((algorithm, hex.to_ascii_lowercase()));
    }
    end(lines)
}

fn end(lines: &mut Lines<'_>) -> Option<()> {
    (lines.line()? == "=").then_some(())
}

/// For the test that looks at every script.
#[cfg(test)]
pub(crate) fn every_script() -> String {
    let mut script = String::new();
    script_into(&mut script, &[StatRequest::new("/a b")]);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests() -> Vec<StatRequest> {
        let sum = |path: &str| StatRequest {
            checksum: Some(ChecksumAlgorithm::Sha1),
            ..StatRequest::new(path)
        };
        let directory = StatRequest {
            follow: true,
            ..StatRequest::new("/d")
        };
        vec![sum("/a"), directory, sum("/gone"), sum("/b")]
    }

    const HEX: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

    #[test]
    fn each_answer_finds_its_path() {
        let answer = format!(
            "e 1 0 0 1\nn\ne 1 1 1 1\n=\n\
             g 81a4 0 0 5 1 2 3 42 1 1 root root\ng 81ed 0 0 7 1 2 3 43 1 1 root root\n=\n\
             {HEX}  /a\n\\{HEX}  /b\n=\n\
             e 1 1 1 0\n=\ng 41ed 0 0 0 1 2 3 44 1 2 root root\n=\n=\n"
        );
        let stats = parse(answer.as_bytes(), &requests()).unwrap();
        let sizes: Vec<u64> = stats.iter().map(|stat| stat.size).collect();
        assert_eq!(sizes, [5, 0, 0, 7]);
        let there: Vec<bool> = stats.iter().map(|stat| stat.exists).collect();
        assert_eq!(there, [true, true, false, true]);
        assert!(stats[0].checksum.is_some() && stats[3].checksum.is_some());
        assert_eq!(stats[1].mode, 0o755);
    }

    #[test]
    fn answers_that_do_not_fit_are_none() {
        let seen = "e 1 0 0 1\nn\ne 1 1 1 1\n=\n";
        let one = "g 81a4 0 0 5 1 2 3 42 1 1 root root\n";
        for answer in [
            String::new(),
            format!("{seen}{one}=\n"),
            format!("{seen}{one}{one}=\n{HEX}  /a\n=\n"),
            format!("{seen}{one}{one}=\nnonsense\n{HEX} b\n=\n"),
            format!("{seen}{one}{one}{one}=\n"),
        ] {
            assert!(parse(answer.as_bytes(), &requests()).is_none(), "{answer}");
        }
    }
}
