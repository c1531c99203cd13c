//! The mutations that the loader is tested with, through the real program: exit 3, the broken line
//! named, no panic, and nobody at the hosts' address is called.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sasrun_endtoend::Site;

#[path = "../../../runner/load/tests/mutants/mod.rs"]
mod mutants;

use mutants::{Good, Kind, good_files, mutant};

/// Mutants that must be refused.
const MUTANTS: usize = 300;
/// Sites that work side by side.
const LANES: usize = 4;

/// Answers every call by hanging up; counts them.
struct Hosts {
    port: u16,
    calls: Arc<AtomicUsize>,
}

impl Hosts {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        std::thread::spawn(move || {
            loop {
                match listener.accept() {
                    Ok(_) => count.fetch_add(1, Ordering::SeqCst),
                    Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                    Err(_) => return,
                };
            }
        });
        Self { port, calls }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// What came of the mutants so far.
#[derive(Default)]
struct Tally {
    refused: usize,
    classes: std::collections::BTreeSet<&'static str>,
    wrong: Vec<String>,
}

/// Runs the good files with one of them replaced; gives what the run said.
fn run(site: &Site, hosts: &Hosts, good: &Good, text: &str) -> sasrun_endtoend::Ended {
    site.file(good.name, text);
    let inventory = match good.kind {
        Kind::Ini => "hosts.ini",
        Kind::Playbook | Kind::Yaml => "hosts.yml",
    };
    let place = format!(
        "ansible_host=127.0.0.1 ansible_port={} verbose=1 configure=1 who=me",
        hosts.port
    );
    let ended = site.sasrun(&["playbook", "play.yml", "-i", inventory, "-e", &place]);
    site.file(good.name, &good.text);
    ended
}

/// Tries every seed of a lane until enough were refused.
fn lane(first: u64, files: &[Good], tally: &Mutex<Tally>) {
    let (site, hosts) = (Site::new(), Hosts::new());
    site.file("more.yml", "- ping:\n");
    for good in files {
        site.file(good.name, &good.text);
    }
    for seed in (first..100_000).step_by(LANES) {
        if tally.lock().unwrap().refused >= MUTANTS {
            return;
        }
        let Some(mutant) = mutant(seed, files) else {
            continue;
        };
        let before = hosts.calls();
        let ended = run(&site, &hosts, mutant.good, &mutant.text);
        let has_panicked = ended.has_said("panicked") || ended.code.is_none();
        // One that is still a playbook runs, finds nobody at home, and is thrown away.
        if ended.code != Some(3) && !has_panicked {
            continue;
        }
        let place = format!("{}:{}:", mutant.good.name, mutant.line);
        let is_right = !has_panicked
            && ended.stderr.contains(&place)
            && ended.stdout.is_empty()
            && hosts.calls() == before;
        let mut tally = tally.lock().unwrap();
        tally.refused += 1;
        tally.classes.insert(mutant.class);
        if !is_right {
            let what = format!("seed {seed}: {} in {place}", mutant.class);
            tally.wrong.push(format!("{what}\n{}", ended.said()));
        }
    }
}

#[test]
fn mutants_are_refused_by_the_program_with_the_line_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runner/load/cases/good");
    let files = good_files(&root);
    // The good files reach the hosts, so silence means something.
    let (site, hosts) = (Site::new(), Hosts::new());
    site.file("more.yml", "- ping:\n");
    for good in &files {
        site.file(good.name, &good.text);
    }
    run(&site, &hosts, &files[0], &files[0].text).exits(4);
    assert!(hosts.calls() > 0);

    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for first in (1..).take(LANES) {
            let (files, tally) = (&files, &tally);
            scope.spawn(move || lane(first, files, tally));
        }
    });
    let tally = tally.into_inner().unwrap();
    assert!(
        tally.wrong.is_empty(),
        "{} of {}:\n{}",
        tally.wrong.len(),
        tally.refused,
        tally.wrong.join("\n")
    );
    assert!(tally.refused >= MUTANTS, "{}", tally.refused);
    assert!(tally.classes.len() >= 20, "{:?}", tally.classes);
}
