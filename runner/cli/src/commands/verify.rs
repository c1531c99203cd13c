//! `sasrun verify`: proves that the record of a run is whole, or says where it is not.

use sasrun_journal::{ReadError, Recovered, RunDirectory, Tail, read, read_unsealed};

use crate::args::VerifyArguments;
use crate::{exit_code, output, settings};

/// Runs the command; gives the exit code.
pub(crate) fn run(arguments: &VerifyArguments) -> anyhow::Result<u8> {
    let run = RunDirectory::find(&settings::kept_runs()?, &arguments.run)?;
    match proof(&run) {
        Ok(lines) => {
            lines.iter().for_each(|line| output::line(line));
            Ok(0)
        }
        Err(error) => {
            output::error_line(&format!("sasrun: {error}"));
            let hint = match error {
                Unproved::Read(ReadError::Damaged { .. }) => {
                    "the run cannot be resumed from a record that cannot be trusted; look for a \
                     copy of its directory, or begin a new run"
                }
                Unproved::Read(ReadError::NewerFormat { .. }) => return Ok(exit_code::INPUT),
                Unproved::Read(ReadError::Sealed { .. }) => {
                    "the record itself is whole; without its key it can be shown and not resumed"
                }
                Unproved::Read(_) | Unproved::Disorder(_) => "begin a new run",
            };
            output::error_line(&format!("sasrun: {hint}"));
            Ok(exit_code::NOT_WHOLE)
        }
    }
}

/// Why a record is not proved whole.
#[derive(Debug, thiserror::Error)]
enum Unproved {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("every record is whole, but {0}")]
    Disorder(sasrun_journal::Disorder),
}

fn proof(run: &RunDirectory) -> Result<Vec<String>, Unproved> {
    let found: Recovered = read(&run.journal())?;
    if let Some(disorder) = found.disorder {
        return Err(Unproved::Disorder(disorder));
    }
    let sealed = read_unsealed(run)?.secrets.len();
    let mut lines = vec![
        format!("run        {}", run.run()),
        format!(
            "records    {} and the header, {} bytes: every hash fits, every event stands in order",
            found.records.len(),
            found.whole_bytes()
        ),
        format!("inputs     {}, each with its hash", found.inputs().len()),
        format!(
            "spooled    {} large values, as they were kept",
            spooled(run)
        ),
        format!("sealed     {sealed} secrets, all of which open"),
    ];
    if let Tail::Torn { offset } = found.tail {
        lines.push(format!(
            "end        a record that was being written at byte {offset} is cut short; that is \
             normal after a crash, and nothing was built on it"
        ));
    }
    Ok(lines)
}

fn spooled(run: &RunDirectory) -> usize {
    std::fs::read_dir(run.spool()).map_or(0, Iterator::count)
}
