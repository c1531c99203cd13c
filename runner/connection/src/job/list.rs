//! The jobs of a host, as it lists them.

use super::view::{self, JobView};

/// One job of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedJob {
    /// Its name.
    pub id: String,
    /// How it stands.
    pub view: JobView,
    /// What was said of it when it was begun.
    pub about: Vec<(String, String)>,
    /// The last line of its standard output that is not empty.
    pub last_line: String,
}

impl ListedJob {
    /// What was said of it under a name, empty if nothing was.
    pub fn word(&self, name: &str) -> &str {
        let found = self.about.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// Reads the listing; lines that make no sense are passed over.
pub(super) fn parse(text: &str) -> Vec<ListedJob> {
    let mut jobs: Vec<ListedJob> = Vec::new();
    for line in text.lines() {
        let Some((kind, rest)) = line.split_once(' ') else {
            continue;
        };
        match (kind, jobs.last_mut()) {
            ("job", _) => {
                let Some((id, words)) = rest.split_once(' ') else {
                    continue;
                };
                let Some(view) = view::parse(words) else {
                    continue;
                };
                jobs.push(ListedJob {
                    id: id.to_owned(),
                    view,
                    about: Vec::new(),
                    last_line: String::new(),
                });
            }
            ("about", Some(job)) => {
                if let Some((name, value)) = rest.split_once('=') {
                    job.about.push((name.to_owned(), value.to_owned()));
                }
            }
            ("last", Some(job)) if !rest.trim().is_empty() => {
                job.last_line = rest.trim_end().chars().take(400).collect();
            }
            _ => {}
        }
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::job::JobState;

    #[test]
    fn listings_are_read() {
        let text = "job a.1 running 7 1 100 setsid - - - - 0 5 0\nabout run=r 1\nabout step=x\nlast one\nlast two\nlast \n\
                    job b gone 0 0 - - - - - - 0 0 0\nnonsense\njob c mad\n";
        let jobs = parse(text);
        assert_eq!(jobs.len(), 2);
        assert_eq!(jobs[0].word("run"), "r 1");
        assert_eq!(jobs[0].last_line, "two");
        assert_eq!(jobs[1].view.state, JobState::Gone);
    }
}
