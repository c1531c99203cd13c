//! What going on with a run will do, as it is told before it is done.

use sasrun_engine::{Fate, Plan};
use sasrun_journal::Recovered;

use crate::output;

/// Tells the plan, with each step where that is asked for.
pub(super) fn tell(run: &str, recovered: &Recovered, plan: &Plan, verbosity: u8) {
    let header = &recovered.header;
    output::line(&format!(
        "run {run}, begun by {} on {}: sasrun {}",
        header.user,
        header.host,
        header.argv.join(" ")
    ));
    output::line(&format!(
        "{} finished steps are not done again, {} are done again, {} are jobs and are gone on with as \
         their hosts find them, {} must not be done twice and are asked about, {} are taken for done",
        plan.count(Fate::Skip),
        plan.count(Fate::Repeat),
        plan.count(Fate::Adopt),
        plan.count(Fate::Ask),
        plan.count(Fate::TakeForDone),
    ));
    let width = plan.hosts.keys().map(|host| host.len()).max().unwrap_or(0);
    for (host, own) in &plan.hosts {
        output::line(&format!(
            "  {host:width$}  done {:>4}  again {:>3}  jobs {:>3}  asked about {:>3}",
            own.count(Fate::Skip) + own.count(Fate::TakeForDone),
            own.count(Fate::Repeat),
            own.count(Fate::Adopt),
            own.count(Fate::Ask),
        ));
        for (step, fate) in &own.steps {
            if verbosity > 0 || *fate != Fate::Skip {
                output::line(&format!("    {} {step}", word(*fate)));
            }
        }
    }
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Skip => "done       ",
        Fate::Repeat => "again      ",
        Fate::Adopt => "job        ",
        Fate::Ask => "asked about",
        Fate::TakeForDone => "taken for done",
    }
}
