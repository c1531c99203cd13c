//! T4: the n-th write of the journal fails, as on a full disk. No new step begins, the message names the path, and once there
//! is room again the run goes on with nothing lost and nothing done twice.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::Site;
use crate::trial::{Stage, Turn};
use crate::{Bench, Failure, Ledger, playbook, system};

/// Writes at full size: more than a run here has, so that each of them fails once.
pub(crate) const WRITES: u32 = 60;

/// A small run: each class of step on two hosts, with a loop and a handler.
const PLAY: &str = "\
- hosts: all
  gather_facts: false
  vars:
    ledger: '{{ playbook_dir }}/ledger/{{ inventory_hostname }}'
  handlers:
    - name: told
      shell: echo told >> {{ ledger }}
      done_when: grep -qx told {{ ledger }}
  tasks:
    - name: once 1
      shell: echo once-1 >> {{ ledger }}
    - name: again 1
      shell: echo again-1 >> {{ ledger }}
      repeatable: true
      notify: told
    - name: loop
      shell: echo loop-{{ item }} >> {{ ledger }}
      done_when: grep -qx loop-{{ item }} {{ ledger }}
      loop: [a, b]
    - name: once 2
      shell: echo once-2 >> {{ ledger }}
";

/// Gets ready: finds out where the records of an undisturbed run lie.
pub(crate) fn begin(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    let site = site(bench)?;
    let mut started = site.begin()?;
    let code = started.end()?.code();
    if code != Some(0) {
        return Err(started.failure(code));
    }
    let journal = journal(site.folder())?;
    let found = journal.map(|journal| sasrun_journal::read(&journal).map(|found| (found, journal)));
    let Some(Ok((found, journal))) = found else {
        return Err(Failure::Journal("it cannot be read".to_owned()));
    };
    let length = fs::metadata(&journal).map_err(system("the journal"))?.len();
    // The first write is the header's.
    let mut begins = vec![0];
    begins.extend(found.records.iter().map(|record| record.offset));
    let ends = begins.iter().skip(1).copied().chain([length]);
    let middles = begins
        .iter()
        .zip(ends)
        .map(|(begin, end)| (begin + end) / 2);
    Ok(Box::new(FullDisk {
        bench: bench.clone(),
        ledger: site.ledger()?,
        middles: middles.collect(),
    }))
}

struct FullDisk {
    bench: Bench,
    ledger: Ledger,
    /// The middle of each write of an undisturbed run.
    middles: Vec<u64>,
}

impl Stage for FullDisk {
    /// Lets those writes fail that fall to the turn.
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let writes = self.middles.len();
        let share = |turn: u32| usize::try_from(turn).unwrap_or(0) * writes / WRITES as usize;
        let (first, after) = (share(turn.number), share(turn.number + 1));
        (first..after).try_for_each(|write| self.fail_at(write))
    }
}

impl FullDisk {
    fn fail_at(&self, write: usize) -> Result<(), Failure> {
        let site = site(&self.bench)?;
        let limit = self.middles.get(write).copied().unwrap_or_default();
        let mut started =
            site.start_limited(limit, &["playbook", "-i", "hosts.ini", "site.yml"])?;
        let code = started.end()?.code();
        let said = started.said();
        let steps = site.ledger()?.lines();
        let what = format!("write {write} failed at byte {limit}");
        if code != Some(6) || !said.contains("/journal") {
            return Err(Failure::Ended { what, code, said });
        }
        site.rest()?;
        let later = site.ledger()?.lines();
        if later > steps {
            return Err(Failure::BeganAfterSignal(later - steps));
        }
        site.finish_killed()?;
        let offences = site.ledger()?.offences(&self.ledger, 1);
        if offences.is_empty() {
            return Ok(());
        }
        Err(Failure::Ledger(offences))
    }
}

fn site(bench: &Bench) -> Result<Site, Failure> {
    let site = Site::empty(bench)?;
    let folder = site.folder();
    let local = vec!["ansible_connection=local".to_owned()];
    let hosts = playbook::inventory(&[local.clone(), local]);
    fs::create_dir_all(folder.join("ledger")).map_err(system("the ledgers"))?;
    fs::write(folder.join("hosts.ini"), hosts).map_err(system("the inventory"))?;
    fs::write(folder.join("site.yml"), PLAY).map_err(system("the playbook"))?;
    Ok(site)
}

/// The journal of the one run of a site.
pub(crate) fn journal(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let runs = fs::read_dir(folder.join("state/runs")).map_err(system("the runs"))?;
    let mut journals = runs.flatten().map(|run| run.path().join("journal"));
    Ok(journals.find(|journal| journal.exists()))
}
