//! A look at every process of every host, again and again during a run: no secret may show in a command line or in an
//! environment, however short its life.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use saslab::lab::trial::Trial;

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Shorter values would be found by chance.
const SHORTEST: usize = 6;

/// A watch that goes on until it is ended.
pub struct Watch {
    ended: Arc<AtomicBool>,
    looking: JoinHandle<Looks>,
}

/// What was seen so far.
#[derive(Default)]
struct Looks {
    count: u64,
    shown: BTreeSet<String>,
}

impl Watch {
    /// Begins to look at the processes of a lab for these secrets, by name.
    pub fn begin(lab: &Trial, secrets: BTreeMap<String, String>) -> Result<Self> {
        let mut spaces = BTreeMap::new();
        for (name, host) in &lab.running.hosts {
            let init = host.init_pid.with_context(|| format!("{name} is down"))?;
            spaces.insert(
                std::fs::read_link(format!("/proc/{init}/ns/pid"))?,
                name.clone(),
            );
        }
        let ended = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ended);
        let looking = std::thread::spawn(move || {
            let (mut looks, mut hosts) = (Looks::default(), HashMap::new());
            while !stop.load(Ordering::Relaxed) {
                looks.look(&spaces, &mut hosts, &secrets);
                std::thread::sleep(PAUSE);
            }
            looks
        });
        Ok(Self { ended, looking })
    }

    /// Ends the watch; what showed, in a sentence each.
    pub fn end(self) -> Vec<String> {
        self.ended.store(true, Ordering::Relaxed);
        match self.looking.join() {
            Ok(looks) if looks.count > 0 => looks.shown.into_iter().collect(),
            _ => vec!["nobody looked at the processes".to_owned()],
        }
    }
}

impl Looks {
    fn look(
        &mut self,
        spaces: &BTreeMap<PathBuf, String>,
        hosts: &mut HashMap<u32, Option<String>>,
        secrets: &BTreeMap<String, String>,
    ) {
        let pids: BTreeSet<u32> = std::fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        hosts.retain(|pid, _| pids.contains(pid));
        for pid in pids {
            let host = hosts.entry(pid).or_insert_with(|| {
                let space = std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok()?;
                spaces.get(&space).cloned()
            });
            let Some(host) = host else { continue };
            self.count += 1;
            for place in ["cmdline", "environ"] {
                let bytes = std::fs::read(format!("/proc/{pid}/{place}")).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                for (name, secret) in secrets
                    .iter()
                    .filter(|(_, secret)| secret.len() >= SHORTEST)
                {
                    if text.contains(secret.as_str()) {
                        let shown = text
                            .split('\0')
                            .next()
                            .unwrap_or_default()
                            .replace(secret.as_str(), "…");
                        self.shown.insert(format!(
                            "{host}: the secret {name} shows in the {place} of {shown}"
                        ));
                    }
                }
            }
        }
    }
}
