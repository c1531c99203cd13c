//! T9: one task writes 500 MB. The runner's memory stays small, and all that was written is in a file.

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::run::Site;
use crate::trial::{Stage, Turn};
use crate::{Bench, Failure, system};

/// Bytes that the task writes, and most that the runner may hold.
const WRITTEN_BYTES: u64 = 500_000_000;
const MOST_KIBIBYTES: u64 = 150_000;
/// One line of what is written.
const LINE: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01234567890123456789012345678901234\n";

/// Gets ready for a task.
pub(crate) fn begin(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    let bench = bench.clone();
    Ok(Box::new(Flood {
        bench,
        is_job: false,
    }))
}

/// Gets ready for a job of the host.
pub(crate) fn begin_job(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    let bench = bench.clone();
    Ok(Box::new(Flood {
        bench,
        is_job: true,
    }))
}

struct Flood {
    bench: Bench,
    is_job: bool,
}

impl Stage for Flood {
    fn once(&mut self, _: Turn) -> Result<(), Failure> {
        once(&self.bench, self.is_job)
    }
}

/// Lets a task write much.
fn once(bench: &Bench, is_job: bool) -> Result<(), Failure> {
    let site = Site::empty(bench)?;
    let line = String::from_utf8_lossy(LINE);
    let play = format!(
        "- hosts: all\n  gather_facts: false\n  job: {}\n  tasks:\n    \
         - shell: yes {} | head -c {WRITTEN_BYTES}\n      register: much\n",
        is_job,
        line.trim_end()
    );
    let folder = site.folder();
    fs::write(folder.join("site.yml"), play).map_err(system("the playbook"))?;
    fs::write(folder.join("hosts.ini"), "h1 ansible_connection=local\n")
        .map_err(system("the inventory"))?;
    let mut started = site.start(&["playbook", "-i", "hosts.ini", "site.yml"])?;
    let mut most = 0;
    let status = loop {
        most = most.max(started.peak_kibibytes().unwrap_or(0));
        if let Some(status) = started.end_soon()? {
            break status;
        }
    };
    if !status.success() {
        return Err(started.failure(status.code()));
    }
    if most > MOST_KIBIBYTES {
        return Err(Failure::Output(format!("the runner took {most} KiB")));
    }
    let file = spooled(folder).map_err(system("the output"))?;
    let file = file.ok_or_else(|| Failure::Output("there is no file of the output".to_owned()))?;
    match is_whole(&file).map_err(system("the output"))? {
        true => Ok(()),
        false => Err(Failure::Output(
            "the output is not what was written".to_owned(),
        )),
    }
}

/// The one file of output.
fn spooled(folder: &Path) -> std::io::Result<Option<PathBuf>> {
    for run in fs::read_dir(folder.join("state/runs"))? {
        if let Some(file) = fs::read_dir(run?.path().join("output"))?.next() {
            return Ok(Some(file?.path()));
        }
    }
    Ok(None)
}

fn is_whole(file: &Path) -> std::io::Result<bool> {
    let mut reader = BufReader::with_capacity(1 << 20, fs::File::open(file)?);
    let mut buffer = LINE.repeat(10_000);
    let mut left = WRITTEN_BYTES;
    while left > 0 {
        let wanted = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        reader.read_exact(&mut buffer[..wanted])?;
        if !buffer[..wanted]
            .chunks(LINE.len())
            .all(|seen| LINE.starts_with(seen))
        {
            return Ok(false);
        }
        left -= wanted as u64;
    }
    Ok(reader.read(&mut buffer)? == 0)
}
