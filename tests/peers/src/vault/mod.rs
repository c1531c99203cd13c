//! Files and strings that one program seals and the other opens: every case both ways.
//!
//! A case is written once, for a program that *seals* and one that *opens*, and run with the two in either place.

mod cases;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::peer::{Ended, Peers, Side};
use cases::CASES;

/// What one case does.
type Steps = fn(&Bench<'_>) -> anyhow::Result<()>;

/// Runs all cases both ways and prints those that do not hold; whether all do.
pub(crate) fn compare(peers: &Peers) -> anyhow::Result<bool> {
    let (mut held, mut count) = (0, 0);
    for (name, steps) in CASES {
        for (seals, opens) in [(Side::Ansible, Side::Sasrun), (Side::Sasrun, Side::Ansible)] {
            count += 1;
            let bench = Bench::new(peers, seals, opens)?;
            match steps(&bench) {
                Ok(()) => held += 1,
                Err(error) => println!("differs: {name}, {seals:?} to {opens:?}: {error:#}"),
            }
        }
    }
    println!(
        "vault: {held} of {count} hold ({} cases, both ways)",
        CASES.len()
    );
    Ok(held == count)
}

/// A folder with passwords, and the two programs.
struct Bench<'a> {
    peers: &'a Peers,
    seals: Side,
    opens: Side,
    folder: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    fn new(peers: &'a Peers, seals: Side, opens: Side) -> anyhow::Result<Self> {
        let bench = Self {
            peers,
            seals,
            opens,
            folder: tempfile::tempdir()?,
        };
        bench.write("pass", b"correct horse\n")?;
        bench.write("other", b"battery staple\n")?;
        Ok(bench)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        Ok(std::fs::write(self.path(name), content)?)
    }

    fn script(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.write(name, text.as_bytes())?;
        let executable = std::fs::Permissions::from_mode(0o755);
        Ok(std::fs::set_permissions(self.path(name), executable)?)
    }

    fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        std::fs::read(self.path(name)).with_context(|| format!("{name} cannot be read"))
    }

    /// Calls one of the two with an action and words parted by blanks.
    fn call(&self, side: Side, tool: &str, words: &str, input: &[u8]) -> anyhow::Result<Ended> {
        let words: Vec<&str> = words.split_whitespace().collect();
        self.peers
            .call(side, tool, &words, self.folder.path(), input)
    }

    fn done(&self, side: Side, tool: &str, words: &str, input: &[u8]) -> anyhow::Result<Vec<u8>> {
        let ended = self.call(side, tool, words, input)?;
        ensure!(ended.is_success, "{side:?} {words}: {}", ended.said());
        Ok(ended.stdout)
    }

    fn seal(&self, words: &str) -> anyhow::Result<Vec<u8>> {
        self.done(self.seals, "vault", words, b"")
    }

    fn open(&self, words: &str) -> anyhow::Result<Vec<u8>> {
        self.done(self.opens, "vault", words, b"")
    }

    /// The one that opens must refuse, and leave the file as it was.
    fn is_refused(&self, words: &str, file: &str, reason: &str) -> anyhow::Result<()> {
        let before = self.read(file)?;
        let ended = self.call(self.opens, "vault", words, b"")?;
        ensure!(!ended.is_success, "{words} went through: {}", ended.said());
        ensure!(
            ended.said().contains(reason),
            "{words} says {}",
            ended.said()
        );
        ensure!(self.read(file)? == before, "{words} changed {file}");
        Ok(())
    }

    fn holds(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        is_equal(&self.read(name)?, content, name)
    }

    /// The first line of a sealed file.
    fn header(&self, name: &str) -> anyhow::Result<String> {
        let content = self.read(name)?;
        let line = content.split(|byte| *byte == b'\n').next();
        Ok(String::from_utf8_lossy(line.unwrap_or_default()).into_owned())
    }

    /// Runs a playbook of the one that opens, which leaves a text in the file `shown`.
    fn shows(&self, text: &str, words: &str) -> anyhow::Result<()> {
        self.done(self.opens, "playbook", words, b"")?;
        self.holds("shown", text.as_bytes())
    }
}

fn is_equal(got: &[u8], wanted: &[u8], what: &str) -> anyhow::Result<()> {
    let show = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .chars()
            .take(200)
            .collect::<String>()
    };
    ensure!(
        got == wanted,
        "{what} holds {:?}, not {:?}",
        show(got),
        show(wanted)
    );
    Ok(())
}
