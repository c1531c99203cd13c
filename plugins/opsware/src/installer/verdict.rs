//! What a finished run of the installer came to, by its words and its end.
//!
//! The exit status alone proves nothing, and neither do the words: both must be good.

use sasrun_plugin::CommandOutput;

use super::screen::Lines;

/// What was read in the words and the end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    /// Why it failed; nothing if it did not.
    pub(crate) failure: Option<String>,
    pub(crate) findings: Vec<String>,
    /// Database in which the installer found multimaster conflicts.
    pub(crate) conflicts_in: Option<String>,
    /// Whether the failure is one of communication that took too long.
    pub(crate) communication_timeout: bool,
    /// Whether the medium went away while it was read.
    pub(crate) medium_gone: bool,
    /// Whether the disk was full.
    pub(crate) disk_full: bool,
    /// Whether a signal ended it.
    pub(crate) killed: bool,
}

/// Judges a run that ended by itself.
pub(crate) fn judge(transcript: &str, end: &CommandOutput) -> Verdict {
    let lines = Lines::of(transcript);
    let failures: Vec<&str> = lines
        .all()
        .filter(|line| has_word(line, "FAILURE"))
        .collect();
    let successes = lines.all().filter(|line| has_word(line, "SUCCESS")).count();
    let mut verdict = Verdict {
        conflicts_in: conflicting_database(&lines),
        ..Verdict::default()
    };
    let says = |words: &[&str]| {
        lines
            .all()
            .any(|line| words.iter().any(|word| line.to_lowercase().contains(word)))
    };
    verdict.medium_gone = says(&[
        "stale nfs file handle",
        "stale file handle",
        "input/output error",
        "i/o error",
    ]);
    verdict.disk_full = says(&["no space left on device", "file system full"]);
    let aborted = lines.all().any(|line| line.contains("Upgrade aborted"));
    verdict.killed = end.signal.is_some() || end.rc > 128;
    if let Some(database) = &verdict.conflicts_in {
        verdict.failure = Some(format!(
            "multimaster conflicts are open in the database \"{database}\", so the upgrade was not begun; bring the core \
             up, resolve them with the Multimaster Tools, then start over"
        ));
    } else if verdict.killed {
        let signal = end.signal.unwrap_or(end.rc - 128);
        verdict.failure = Some(format!(
            "the installer was ended by signal {signal} in the middle of its work"
        ));
    } else if let Some(last) = failures.last() {
        verdict.communication_timeout = is_communication_timeout(&lines);
        verdict.failure = Some(format!("the installer reports: {}", last.trim()));
        if end.rc == 0 {
            verdict
                .findings
                .push("the installer ended with status 0 although it reports a failure".to_owned());
        }
    } else if aborted {
        verdict.failure = Some(format!(
            "the installer aborted the upgrade: {}",
            lines.last().trim()
        ));
    } else if end.rc != 0 {
        verdict.communication_timeout = is_communication_timeout(&lines);
        verdict.failure = Some(format!(
            "the installer ended with status {}: {}",
            end.rc,
            lines.last().trim()
        ));
        if successes > 0 {
            verdict.findings.push(format!(
                "the installer ended with status {} although it reports success only",
                end.rc
            ));
        }
    }
    verdict
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|part| part == word)
}

/// Database in the line of the installer's own check, if the check failed.
fn conflicting_database(lines: &Lines) -> Option<String> {
    let all: Vec<&str> = lines.all().collect();
    let at = all
        .iter()
        .position(|line| line.contains("no conflicts exist in DB \""))?;
    let check = all.get(at..all.len().min(at + 2))?.join(" ");
    let (_, rest) = check.split_once("DB \"")?;
    let (database, result) = rest.split_once('"')?;
    let result = result.trim_start_matches(':').trim_start();
    // The check fails, too, when the database does not answer; that proves no conflict.
    let detected = all
        .iter()
        .any(|line| line.contains("Conflicts were detected") || line.contains("rows selected"));
    (result.starts_with("FAILURE") && detected).then(|| database.to_owned())
}

/// A time-out of the communication, in any spelling.
fn is_communication_timeout(lines: &Lines) -> bool {
    let text = lines.all().collect::<Vec<_>>().join("\n").to_lowercase();
    let timed_out = ["timed out", "timeout", "time-out", "time out"]
        .iter()
        .any(|words| text.contains(words));
    timed_out
        && ["communicat", "connect"]
            .iter()
            .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(rc: i32) -> CommandOutput {
        CommandOutput {
            rc,
            ..CommandOutput::default()
        }
    }

    #[test]
    fn words_and_status_must_both_be_good() {
        let good = "Upgrade \"spin\": SUCCESS\n";
        let bad = "Upgrade \"spin\": FAILURE (package OPSWspin)\n";
        let table = [
            (good, end(0), None, 0),
            (bad, end(1), Some("reports"), 0),
            (bad, end(0), Some("reports"), 1),
            (good, end(1), Some("status 1"), 1),
            (good, end(137), Some("signal 9"), 0),
            (
                good,
                CommandOutput {
                    rc: 143,
                    signal: Some(15),
                    ..end(0)
                },
                Some("signal 15"),
                0,
            ),
            (
                "No space left on device\n",
                end(1),
                Some("No space left"),
                0,
            ),
        ];
        for (text, end, failure, findings) in table {
            let verdict = judge(text, &end);
            match failure {
                None => assert_eq!(verdict.failure, None, "{text}"),
                Some(words) => assert!(
                    verdict.failure.as_deref().unwrap().contains(words),
                    "{verdict:?}"
                ),
            }
            assert_eq!(verdict.findings.len(), findings, "{text}");
        }
    }

    #[test]
    fn conflicts_name_the_database() {
        let text = "Distribution version = opsware_32.g\r\nVerifying no conflicts exist in DB \"yellow_truth\": FAILURE\r\n\
                    (multiple rows selected)\r\nUpgrade aborted.\r\n";
        let verdict = judge(text, &end(2));
        assert_eq!(verdict.conflicts_in.as_deref(), Some("yellow_truth"));
        assert!(verdict.failure.unwrap().contains("Multimaster Tools"));
        let verdict = judge(
            "Verifying no conflicts exist in DB \"t\": SUCCESS\n",
            &end(0),
        );
        assert_eq!((verdict.conflicts_in, verdict.failure), (None, None));
    }

    #[test]
    fn communication_time_outs_are_told_from_other_failures() {
        let table = [
            ("Upload: FAILURE (communication timeout error)\n", true),
            ("Connection to theword timed out\nUpload: FAILURE\n", true),
            ("Upload: FAILURE (bad checksum)\n", false),
        ];
        for (text, is_timeout) in table {
            assert_eq!(
                judge(text, &end(1)).communication_timeout,
                is_timeout,
                "{text}"
            );
        }
    }
}
