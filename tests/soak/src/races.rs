//! T14: two runs that begin at once on one lock, from one controller or from two that share no
//! files: one wins, and the loser exits with 5 and says to whom it lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use saslab::lab::trial::Trial as LabTrial;
use sasrun_scenarios::scene::Programs;
use tempfile::TempDir;

use crate::trial::{Stage, Turn};
use crate::{Bench, Dice, Failure, system};

/// How long a race may take.
const LIMIT: Duration = Duration::from_secs(60);

struct Racer {
    folder: PathBuf,
    state: PathBuf,
    /// Where its work is written down, on each host.
    ledgers: Vec<PathBuf>,
}

impl Drop for Racer {
    fn drop(&mut self) {
        for ledger in &self.ledgers {
            // It is not there where nothing was done.
            let _ = fs::remove_file(ledger);
        }
    }
}

/// Gets ready for races of runs of one control host.
pub(crate) fn begin_one(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    let bench = bench.clone();
    Ok(Box::new(Races { bench, lab: None }))
}

/// Gets ready for races of runs of two control hosts, at hosts that both reach over SSH and that each have files of their own.
pub(crate) fn begin_two(bench: &Bench) -> Result<Box<dyn Stage>, Failure> {
    let programs = Programs::find().map_err(Failure::Lab)?;
    let folder = tempfile::tempdir().map_err(system("a folder"))?;
    let mesh = folder.path().join("mesh.yml");
    fs::write(&mesh, MESH).map_err(system("the mesh"))?;
    let lab = LabTrial::start(&programs.saslab, &mesh, "").map_err(Failure::Lab)?;
    Ok(Box::new(Races {
        bench: bench.clone(),
        lab: Some(lab),
    }))
}

/// Hosts that keep the lock.
const KEEPERS: [&str; 2] = ["k1", "k2"];
const MESH: &str = "plugin: opsware_mesh\nmesh: keepers\ncores:\n  core_a:\n    source: true\n    \
    facility: {id: 1, name: A, agents: 1}\n    hosts:\n      k1: {address: 127.61.29.1, components: []}\n      \
    k2: {address: 127.61.29.2, components: []}\n";

struct Races {
    bench: Bench,
    /// What keeps the lock and does the work, besides the control host.
    lab: Option<LabTrial>,
}

impl Stage for Races {
    /// Lets two runs race once.
    fn once(&mut self, turn: Turn) -> Result<(), Failure> {
        let folder = tempfile::tempdir().map_err(system("a folder"))?;
        let mut dice = Dice::new(turn.seed);
        let lock = format!("soak-{}-{:x}", std::process::id(), turn.seed);
        let racers = [
            self.racer(&folder, "first", &lock)?,
            self.racer(&folder, "second", &lock)?,
        ];
        let mut children = Vec::new();
        for racer in &racers {
            children.push(start(&self.bench, racer)?);
            std::thread::sleep(dice.moment(Duration::from_millis(8)));
        }
        let result = judge(&racers, &mut children);
        for child in &mut children {
            // One that ended is not there to be killed.
            let _ = child.kill();
            let _ = child.wait();
        }
        // What a failed race leaves must not disturb the next.
        let _ = fs::remove_dir_all(format!("/var/tmp/sasrun-lock-{lock}"));
        result
    }
}

impl Races {
    /// One who races: with what it shares with the other, and in an order of its own.
    fn racer(&self, folder: &TempDir, name: &str, lock: &str) -> Result<Racer, Failure> {
        let own = folder.path().join(name);
        fs::create_dir_all(&own).map_err(system("a folder"))?;
        let mut hosts = self.hosts();
        if name == "second" {
            hosts.reverse();
        }
        let names: Vec<&str> = hosts.iter().map(|(name, _)| *name).collect();
        let lines: String = hosts
            .iter()
            .map(|(name, variables)| format!("    {name}: {{{variables}}}\n"))
            .collect();
        let inventory = format!(
            "all:\n  hosts:\n{lines}  vars:\n    sasrun_lock: {lock}\n    sasrun_lock_hosts: [{}]\n",
            names.join(", ")
        );
        fs::write(own.join("hosts.yml"), inventory).map_err(system("the inventory"))?;
        fs::write(own.join("play.yml"), PLAY).map_err(system("the playbook"))?;
        let state = if self.lab.is_some() { name } else { "shared" };
        let ledgers = names.iter().map(|host| match &self.lab {
            Some(lab) => lab.state.root(host).join("tmp").join(ledger(&own)),
            None => Path::new("/tmp").join(ledger(&own)),
        });
        Ok(Racer {
            state: folder.path().join(state).join("state"),
            ledgers: ledgers.collect(),
            folder: own,
        })
    }

    /// Hosts, with the variables by which they are reached.
    fn hosts(&self) -> Vec<(&'static str, String)> {
        let Some(lab) = &self.lab else {
            return vec![("keeper", "ansible_connection: local".to_owned())];
        };
        let variables = |name: &&'static str| {
            let at = lab.running.hosts.get(*name)?.address;
            let text = format!(
                "ansible_host: {}, ansible_port: {}, ansible_user: root, ansible_ssh_private_key_file: {}, \
                 ansible_ssh_known_hosts_file: {}",
                at.ip(),
                at.port(),
                lab.state.operator_key().display(),
                lab.state.known_hosts().display()
            );
            Some((*name, text))
        };
        KEEPERS.iter().filter_map(variables).collect()
    }
}

/// The name of the ledgers of one who races.
fn ledger(own: &Path) -> String {
    let text = own.display().to_string();
    format!("soak{}", text.replace('/', "-"))
}

/// Waits here for a word to go on, so that both stand at the lock at once; then works there.
const PLAY: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    \
    - wait_for: {path: '{{ playbook_dir }}/go', timeout: 60}\n      delegate_to: localhost\n      run_once: true\n      \
    vars: {ansible_connection: local}\n    \
    - shell: echo done >>'/tmp/soak{{ playbook_dir | replace(\"/\", \"-\") }}'\n";

fn start(bench: &Bench, racer: &Racer) -> Result<Child, Failure> {
    let said = fs::File::create(racer.folder.join("said")).map_err(system("a file"))?;
    let errors = said.try_clone().map_err(system("a file"))?;
    Command::new(&bench.program)
        .args(["playbook", "-i", "hosts.yml", "play.yml"])
        .current_dir(&racer.folder)
        .env("HOME", racer.state.parent().unwrap_or(&racer.folder))
        .env("SASRUN_STATE", &racer.state)
        .stdin(Stdio::null())
        .stdout(said)
        .stderr(errors)
        .spawn()
        .map_err(system("sasrun"))
}

fn judge(racers: &[Racer; 2], children: &mut [Child]) -> Result<(), Failure> {
    let until = Instant::now() + LIMIT;
    let loser = loop {
        let mut ended = None;
        for (number, child) in children.iter_mut().enumerate() {
            if child.try_wait().map_err(system("sasrun"))?.is_some() {
                ended = Some(number);
            }
        }
        match ended {
            Some(number) => break number,
            None if Instant::now() > until => {
                return Err(Failure::Hangs(
                    "the race".to_owned(),
                    said(&racers[0].folder),
                ));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let winner = 1 - loser;
    let [first, second] = racers;
    let (lost, won) = if loser == 0 {
        (first, second)
    } else {
        (second, first)
    };
    fs::write(won.folder.join("go"), "").map_err(system("a file"))?;
    for (number, expected, racer) in [(loser, 5, lost), (winner, 0, won)] {
        let Some(child) = children.get_mut(number) else {
            continue;
        };
        let code = child.wait().map_err(system("sasrun"))?.code();
        if code != Some(expected) {
            return Err(Failure::Ended {
                what: format!("the one that should end with {expected}"),
                code,
                said: said(&racer.folder),
            });
        }
    }
    let told = said(&lost.folder);
    let steps = |racer: &Racer| {
        let texts = racer.ledgers.iter().map(fs::read_to_string);
        let done = texts.map(|text| text.unwrap_or_default() == "done\n");
        done.filter(|is_done| *is_done).count()
    };
    let is_told = ["held", " by run ", " on ", "since", "playbook play.yml"]
        .iter()
        .all(|part| told.contains(part));
    if !is_told || (steps(won), steps(lost)) != (won.ledgers.len(), 0) {
        return Err(Failure::Upgrade(format!("the loser was told\n{told}")));
    }
    Ok(())
}

fn said(folder: &Path) -> String {
    fs::read_to_string(folder.join("said")).unwrap_or_default()
}
