//! `opsware_conflicts`: open multimaster conflicts of a core, by a query that only reads.
//!
//! Run on a server with the database, as its operating system user: no password, no logon that
//! counts. What cannot be read is *indeterminate*, never *none*.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, Command, Example, Failure, Host,
    Module, ModuleResult, ModuleSpec, Outcome, Repetition, Returned,
};

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    use ArgumentType::{Float, Path, String};
    ModuleSpec {
        name: "opsware_conflicts".into(),
        summary: "Counts the open multimaster conflicts in a core's database.".into(),
        description: vec![
            "No core of a mesh can be upgraded while there are conflicts. With conflicts the task fails, names the database \
             and says what to do; they are never resolved from here. If the table cannot be read the verdict is \
             `indeterminate`, with a warning: the installer checks once more by itself."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::optional("database", String, "Name of the database for messages: its TNS name."),
            ArgumentSpec::optional("oracle_home", Path, "Directory of the Oracle software; by default that of the oratab."),
            ArgumentSpec::optional("sid", String, "Instance; by default that of the oratab."),
            ArgumentSpec::optional("user", String, "Operating system user who may connect without a password.")
                .defaults_to("oracle"),
            ArgumentSpec::optional("timeout", Float, "Seconds that the query may take.").defaults_to(60),
            ArgumentSpec::optional("expect", String, "`none`: conflicts fail the task. `any`: only tells.")
                .choices(&["none", "any"])
                .defaults_to("none"),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        returns: vec![
            Returned::new("verdict", "str", "`none`, `conflicts_present` or `indeterminate`."),
            Returned::new("count", "int", "Open conflicts."),
            Returned::new("database", "str", "Name of the database."),
            Returned::new("reason", "str", "Why it is indeterminate."),
        ],
        examples: vec![Example {
            title: "No conflicts may be open".into(),
            yaml: "- opsware_conflicts:\n    database: \"{{ response.parameters['truth.servicename'] }}\"\n".into(),
        }],
        ..ModuleSpec::default()
    }
}

/// What the query came to.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Count(u64),
    Indeterminate(String),
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let seconds = arguments
        .number("timeout")
        .unwrap_or(60.0)
        .clamp(1.0, 86_400.0);
    let command = Command {
        script: script(
            arguments.text_or_empty("oracle_home"),
            arguments.text_or_empty("sid"),
            arguments.text("user").unwrap_or("oracle"),
        ),
        stdin: Some(SQL.to_owned()),
        timeout_ms: Some((seconds * 1000.0) as u64),
        ..Command::default()
    };
    let output = host.read_command(command).await?;
    let text = format!("{}\n{}", output.stdout, output.stderr);
    let named = arguments
        .text("database")
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let database = named.unwrap_or_else(|| sid(&text));
    let finding = if output.timed_out {
        Finding::Indeterminate(format!("the query took longer than {seconds} s"))
    } else {
        read(&text)
    };
    judge(finding, &database, arguments.text("expect") == Some("any"))
}

fn judge(finding: Finding, database: &str, only_tell: bool) -> ModuleResult {
    let outcome = Outcome::unchanged().with("database", database);
    match finding {
        Finding::Count(0) => Ok(outcome.with("verdict", "none").with("count", 0)),
        Finding::Count(count) if only_tell => Ok(outcome.with("verdict", "conflicts_present").with("count", count)),
        Finding::Count(count) => Err(Failure::new(format!(
            "{count} multimaster conflicts are open in the database \"{database}\", so the upgrade was not begun; the core \
             must be up to resolve them with the Multimaster Tools, then start over"
        ))
        .with("verdict", "conflicts_present")
        .with("count", count)
        .with("database", database)),
        Finding::Indeterminate(reason) => Ok(outcome
            .with("verdict", "indeterminate")
            .with("reason", reason.as_str())
            .warn(format!("open conflicts in \"{database}\" could not be counted: {reason}; the installer checks by itself"))),
    }
}

/// Statements of the query; markers tell its answer from echo and banners.
const SQL: &str = "set heading off feedback off pagesize 0 verify off\n\
    select 'SASRUN-'||'BEGIN' from dual;\n\
    select count(*) from lcrep.transaction_conflicts where resolved = 'N';\n\
    select 'SASRUN-'||'END' from dual;\n\
    exit\n";

/// Shell text that finds the instance and runs SQL*Plus as its user.
///
/// The statements come on standard input; the user's login files are not read.
fn script(home: &str, sid: &str, user: &str) -> String {
    format!(
        "home={home}; sid={sid}\n\
         for f in /var/opt/oracle/oratab /etc/oratab; do\n\
         if [ -z \"$sid\" ] && [ -f $f ]; then\n\
         line=`grep '^[A-Za-z0-9_]*:/' $f | sed -n 1p`\n\
         sid=`echo \"$line\" | cut -d: -f1`\n\
         [ -n \"$home\" ] || home=`echo \"$line\" | cut -d: -f2`\n\
         fi; done\n\
         if [ -z \"$home\" ]; then echo 'SASRUN-NO-HOME'; exit 0; fi\n\
         echo \"SASRUN-SID $sid\"\n\
         me=`id | sed 's/^uid=[0-9]*(\\([^)]*\\)).*/\\1/'`\n\
         run=\"ORACLE_HOME=$home ORACLE_SID=$sid LC_ALL=C; export ORACLE_HOME ORACLE_SID LC_ALL; \
         exec $home/bin/sqlplus -S -L '/ as sysdba'\"\n\
         if [ \"$me\" = {user} ]; then sh -c \"$run\"; else su {user} -c \"$run\"; fi\n",
        home = Host::quote(home),
        sid = Host::quote(sid),
        user = Host::quote(user),
    )
}

fn sid(text: &str) -> String {
    text.lines()
        .find_map(|line| line.strip_prefix("SASRUN-SID "))
        .unwrap_or("unknown")
        .trim()
        .to_owned()
}

/// Reads the count between the markers; anything else is indeterminate.
fn read(text: &str) -> Finding {
    if text.contains("SASRUN-NO-HOME") {
        return Finding::Indeterminate(
            "no oratab tells where the database's software is".to_owned(),
        );
    }
    let between: Option<Vec<&str>> = text
        .split_once("SASRUN-BEGIN")
        .and_then(|(_, rest)| rest.split_once("SASRUN-END"))
        .map(|(answer, _)| {
            answer
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect()
        });
    match between.as_deref() {
        Some([count]) if !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit()) => {
            count.parse().map_or_else(
                |_| Finding::Indeterminate("the count is not a number".to_owned()),
                Finding::Count,
            )
        }
        _ => Finding::Indeterminate(reason(text)),
    }
}

/// The database's own words, if there are any.
fn reason(text: &str) -> String {
    let code = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("ORA-") || line.starts_with("SP2-"));
    let last = text
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !line.starts_with("SASRUN-"));
    code.or(last).unwrap_or("no answer").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_count_between_the_markers_counts() {
        let table = [
            (
                "SASRUN-SID t\nSASRUN-BEGIN\n\n         0\n\nSASRUN-END\n",
                Finding::Count(0),
            ),
            ("SASRUN-BEGIN\n2\nSASRUN-END\n", Finding::Count(2)),
            (
                "SASRUN-BEGIN\nselect count(*)\nERROR at line 1:\nORA-00942: table or view does not exist\nSASRUN-END\n",
                Finding::Indeterminate("ORA-00942: table or view does not exist".into()),
            ),
            (
                "ORA-01034: ORACLE not available\n0\n",
                Finding::Indeterminate("ORA-01034: ORACLE not available".into()),
            ),
            (
                "su: user oracle does not exist\n",
                Finding::Indeterminate("su: user oracle does not exist".into()),
            ),
            ("", Finding::Indeterminate("no answer".into())),
        ];
        for (text, wanted) in table {
            assert_eq!(read(text), wanted, "{text}");
        }
        assert!(matches!(
            read("SASRUN-NO-HOME\n"),
            Finding::Indeterminate(_)
        ));
    }

    #[test]
    fn conflicts_fail_the_task_and_blindness_does_not() {
        let failure = judge(Finding::Count(2), "yellow_truth", false).unwrap_err();
        assert!(failure.msg.contains("\"yellow_truth\"") && failure.msg.contains("not begun"));
        assert_eq!(
            judge(Finding::Count(2), "t", true).unwrap().result["count"],
            2
        );
        let blind = judge(Finding::Indeterminate("ORA-00942".into()), "t", false).unwrap();
        assert_eq!(blind.result["verdict"], "indeterminate");
        assert_eq!(blind.warnings.len(), 1);
    }
}
