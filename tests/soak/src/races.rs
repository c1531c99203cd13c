//! T14: two runs that begin at once on one lock, from one controller or from two that share no
//! files: one wins, and the loser exits with 5 and says to whom it lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Bench, Dice, Failure};

/// How long a race may take.
const LIMIT: Duration = Duration::from_secs(60);

struct Racer {
    folder: PathBuf,
    state: PathBuf,
}

/// Lets two runs race once.
pub(crate) fn once(bench: &Bench, seed: u64) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(system("a folder"))?;
    let is_one_controller = seed.is_multiple_of(2);
    let mut dice = Dice::new(seed);
    let lock = format!("soak-{}-{seed:x}", std::process::id());
    let first = racer(&folder, "first", "first", &lock)?;
    let state = if is_one_controller { "first" } else { "second" };
    let second = racer(&folder, "second", state, &lock)?;
    let racers = [first, second];
    let mut children = Vec::new();
    for racer in &racers {
        children.push(start(bench, racer)?);
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

fn system(what: &'static str) -> impl Fn(std::io::Error) -> Failure {
    move |error| Failure::System(what.to_owned(), error)
}

fn racer(folder: &TempDir, name: &str, state: &str, lock: &str) -> Result<Racer, Failure> {
    let own = folder.path().join(name);
    fs::create_dir_all(&own).map_err(system("a folder"))?;
    let inventory = format!(
        "all:\n  hosts:\n    keeper: {{ansible_connection: local}}\n  vars:\n    \
         sasrun_lock: {lock}\n    sasrun_lock_hosts: keeper\n"
    );
    let play = "- hosts: keeper\n  gather_facts: false\n  tasks:\n    \
                - wait_for: {path: '{{ playbook_dir }}/go', timeout: 60}\n    \
                - shell: echo done >>'{{ playbook_dir }}/ledger'\n";
    fs::write(own.join("hosts.yml"), inventory).map_err(system("the inventory"))?;
    fs::write(own.join("play.yml"), play).map_err(system("the playbook"))?;
    Ok(Racer {
        state: folder.path().join(state).join("state"),
        folder: own,
    })
}

fn start(bench: &Bench, racer: &Racer) -> Result<Child, Failure> {
    let said = fs::File::create(racer.folder.join("said")).map_err(system("a file"))?;
    let errors = said.try_clone().map_err(system("a file"))?;
    Command::new(&bench.program)
        .args(["playbook", "-i", "hosts.yml", "play.yml"])
        .current_dir(&racer.folder)
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
    let steps = |racer: &Racer| said_in(&racer.folder, "ledger").lines().count();
    let is_told = ["held", " by run ", " on ", "since", "playbook play.yml"]
        .iter()
        .all(|part| told.contains(part));
    if !is_told || (steps(won), steps(lost)) != (1, 0) {
        return Err(Failure::Upgrade(format!("the loser was told\n{told}")));
    }
    Ok(())
}

fn said(folder: &Path) -> String {
    said_in(folder, "said")
}

fn said_in(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_default()
}
