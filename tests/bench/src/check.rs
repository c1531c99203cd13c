//! Whether a run did its work: judged by the hosts' directories, not by what the runner says of itself.

use std::fs;

use crate::hosts::{Hosts, name};
use crate::measure::Figure;
use crate::peer::Peer;
use crate::workload::Workload;

/// What is wrong with a run, if anything is.
pub(crate) fn problem(
    workload: &Workload,
    peer: &Peer,
    hosts: &Hosts<'_>,
    figure: &Figure,
) -> Option<String> {
    if !figure.is_success {
        return Some("it failed".to_owned());
    }
    if workload.again && peer.has_recap() {
        let changes = changes(&figure.output);
        if changes != Some(0) {
            return Some(format!(
                "the second run changed something: {changes:?} changes"
            ));
        }
    }
    (0..workload.hosts).find_map(|host| {
        let wrong = match workload.folder {
            "small" => expect(hosts, host, "done", &format!("{}\n", name(host))),
            "configure" => expect(hosts, host, "etc/app.conf", &configuration(host))
                .or_else(|| expect(hosts, host, "etc/app.ini", &settings(host)))
                .or_else(|| expect(hosts, host, "var/restarted", "restarted\n")),
            _ => None,
        };
        wrong.map(|wrong| format!("{}: {wrong}", name(host)))
    })
}

fn expect(hosts: &Hosts<'_>, host: usize, file: &str, wanted: &str) -> Option<String> {
    match fs::read_to_string(hosts.directory(host).join(file)) {
        Ok(text) if text == wanted => None,
        Ok(text) => Some(format!("{file} holds {text:?}")),
        Err(error) => Some(format!("{file}: {error}")),
    }
}

fn configuration(host: usize) -> String {
    format!(
        "# configuration of {}\nworkers = {}\nuser ann 1001\nuser bea 1002\nuser cem 1003\n",
        name(host),
        host % 4 + 1
    )
}

fn settings(host: usize) -> String {
    format!("mode=new\nowner=bench\nclients={}\n", host + 10)
}

/// The sum of all `changed=` of a recap.
fn changes(output: &str) -> Option<u64> {
    let counts: Vec<u64> = output
        .split("changed=")
        .skip(1)
        .filter_map(|rest| {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            rest.get(..end)?.parse().ok()
        })
        .collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn a_recap_is_summed() {
        assert_eq!(
            changes("a : ok=3 changed=2 x\nb : ok=1 changed=10\n"),
            Some(12)
        );
        assert_eq!(changes("a : ok=3 changed=0\n"), Some(0));
        assert_eq!(changes("nothing"), None);
    }
}
