//! What stands in files that were found, in the encoding they are written in.

use sasrun_plugin::{Failure, FileKind, FileStatus, Host, Object, Read};

use super::filter::Filter;
use crate::answers::{Answers, bytes_of, script, whole};
use crate::paths;

/// How many files are read in one round trip.
const READ_AT_ONCE: usize = 32;

/// How files are written.
enum Encoding {
    /// UTF-8, and what is none of it is passed over.
    Lenient,
    Utf8,
    /// Another, which the host's `iconv` knows under this name.
    Other(String),
}

/// Leaves those that hold what is looked for. Only regular files are opened: a pipe would wait for
/// its other end. A file that is not written as it should be is told under its root.
pub(super) async fn containing<'a>(
    host: &Host,
    filter: &Filter,
    encoding: Option<&str>,
    roots: &[String],
    mut found: Vec<(&'a String, FileStatus)>,
    skipped: &mut Object,
) -> Result<Vec<(&'a String, FileStatus)>, Failure> {
    found.retain(|(_, status)| status.kind == FileKind::File);
    let mut skip = |path: &str, reason: String| {
        let above = roots.iter().filter(|root| path.starts_with(root.as_str()));
        if let Some(root) = above.max_by_key(|root| root.len()) {
            skipped.insert(root.clone(), reason.into());
        }
    };
    let name = encoding.unwrap_or_default();
    let encoding = match name.to_lowercase().as_str() {
        "" => Encoding::Lenient,
        "utf-8" | "utf8" | "utf_8" => Encoding::Utf8,
        _ => match known(host, name).await? {
            Some(known) => Encoding::Other(known),
            None => {
                for (path, _) in &found {
                    skip(path, format!("unknown encoding: {name}"));
                }
                return Ok(Vec::new());
            }
        },
    };
    let mut kept = Vec::new();
    for batch in found.chunks(READ_AT_ONCE) {
        let reads = batch.iter().map(|(path, _)| encoding.read(path));
        let mut answers = Answers::of(host, reads.collect()).await?;
        for (path, status) in batch {
            match encoding.text(&mut answers)? {
                Some(text) if filter.takes_content(&text)? => kept.push((*path, status.clone())),
                Some(_) => {}
                None => skip(
                    path,
                    format!(
                        "Failed to read the file {path} due to an encoding error. current \
                         encoding: {name}"
                    ),
                ),
            }
        }
    }
    Ok(kept)
}

/// Returns the name under which the host knows an encoding: Python writes some with a hyphen or an
/// underscore that `iconv` does without.
async fn known(host: &Host, name: &str) -> Result<Option<String>, Failure> {
    let bare: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    let script = format!(
        "for e in {} {}; do if iconv -f \"$e\" -t UTF-8 </dev/null >/dev/null 2>&1; then echo \"$e\"; break; fi; done",
        Host::quote(name),
        Host::quote(&bare)
    );
    let output = host.read_script(script).await?;
    let known = output.stdout.trim();
    Ok((!known.is_empty()).then(|| known.to_owned()))
}

impl Encoding {
    fn read(&self, path: &str) -> Read {
        match self {
            Encoding::Lenient | Encoding::Utf8 => whole(path),
            Encoding::Other(name) => script(format!(
                "[ ! -r {word} ] || iconv -f {} -t UTF-8 {word}",
                Host::quote(name),
                word = paths::word(path)
            )),
        }
    }

    /// Returns the text of the next file; none if it is not written so. What cannot be read is
    /// empty.
    fn text(&self, answers: &mut Answers) -> Result<Option<String>, Failure> {
        if let Encoding::Other(_) = self {
            let output = answers.command()?;
            return Ok(output.succeeded().then_some(output.stdout));
        }
        let Ok(content) = answers.file() else {
            return Ok(Some(String::new()));
        };
        let bytes = bytes_of(&content).unwrap_or_default();
        Ok(match self {
            Encoding::Utf8 => String::from_utf8(bytes).ok(),
            _ => Some(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }
}
