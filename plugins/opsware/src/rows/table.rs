//! `opsware_response_table`: one verdict for each of the fifty rows of a core's response file.
//!
//! Pure: brings together what servers, logons, connect names and people said; asks nobody.

use sasrun_plugin::{
    ArgumentSpec, ArgumentType, Arguments, Call, CheckSupport, Effect, Example, Host, Module,
    ModuleResult, ModuleSpec, Object, Outcome, Repetition, Returned,
};
use serde_json::{Value, json};

use super::rows;
use super::rule::{By, Needed, Row};
use super::site::Site;
use super::verdict::{Judgement, Verdict};

/// Builds the module.
pub(crate) fn module() -> Box<dyn Module> {
    sasrun_plugin::FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    use ArgumentType::{Boolean, Dictionary, List, String, StringList};
    ModuleSpec {
        name: "opsware_response_table".into(),
        summary: "Brings the verdicts on a core's response file together, a line for each parameter.".into(),
        description: vec![
            "Of several servers the worst verdict counts. `mismatch` and a required parameter without a value stop an upgrade; \
             so does `indeterminate`, unless it is accepted by name. They are never merged."
                .into(),
            "What only a person can see is a match when its gate, `RESP-PARAMETER@CORE` or `RESP-PARAMETER`, was answered \
             with yes, and listed with the place to look at when it has no answer."
                .into(),
        ],
        arguments: vec![
            ArgumentSpec::required("mesh", Dictionary, "The mesh, as the inventory gives it."),
            ArgumentSpec::required("core", String, "Core whose file this is."),
            ArgumentSpec::optional("satellite", Boolean, "The file is that of a satellite of the core.").defaults_to(false),
            ArgumentSpec::required("judged", List, "Results of `opsware_response_rows` of every server."),
            ArgumentSpec::optional("logins", List, "Results of `oracle_login` in a loop over items with `key`."),
            ArgumentSpec::optional("names", Dictionary, "Result of `oracle_names`."),
            ArgumentSpec::optional("answers", Dictionary, "Recorded answers by gate."),
            ArgumentSpec::optional("asked", List, "Results of `gate` in a loop."),
            ArgumentSpec::optional("accept", StringList, "Findings that are accepted: `RESP-VERIFY`, or a row's id."),
        ],
        check_mode: CheckSupport::ReadsOnly,
        repetition: Repetition::Read,
        controller_only: true,
        returns: vec![
            Returned::new("rows", "list", "By row: `id`, `page`, `verdict`, `finding`, `reason`, `hosts`."),
            Returned::new("lines", "list", "The table for people, a line for each row."),
            Returned::new("counts", "dict", "Rows by verdict."),
            Returned::new("stops", "list", "Lines of the rows that stop an upgrade."),
            Returned::new("manual", "list", "Gates that nobody has answered, with `id` and `text`."),
        ],
        examples: vec![Example {
            title: "The table of a core".into(),
            yaml: "- opsware_response_table:\n    mesh: \"{{ mesh }}\"\n    core: core_a\n    judged: \"{{ groups['core_a'] | \
                   map('extract', hostvars, 'judged') | list }}\"\n    names: \"{{ names }}\"\n    logins: \"{{ logins.results \
                   }}\"\n    answers: \"{{ gates }}\"\n  register: table\n"
                .into(),
        }],
        ..ModuleSpec::default()
    }
}

/// Everything that was said of a core's file.
struct Said<'a> {
    core: &'a str,
    judged: &'a [Value],
    logins: &'a [Value],
    names: Option<&'a Object>,
    answers: Option<&'a Object>,
    asked: &'a [Value],
}

async fn run(call: Call, _host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let mesh = arguments.dictionary("mesh").cloned().unwrap_or_default();
    let core = arguments.text_or_empty("core");
    let site = Site::read(&mesh, core, arguments.flag("satellite"))?;
    let said = Said {
        core,
        judged: arguments.list("judged"),
        logins: arguments.list("logins"),
        names: arguments.dictionary("names"),
        answers: arguments.dictionary("answers"),
        asked: arguments.list("asked"),
    };
    let accept = arguments.strings("accept");
    let (mut shown, mut lines, mut stops, mut manual) = (vec![], vec![], vec![], vec![]);
    let mut counts = Object::new();
    let mut outcome = Outcome::unchanged();
    for row in &rows()? {
        let (judgement, hosts) = said.row(row, &site);
        let line = line(row, core, &judgement);
        if stops_upgrade(row, &judgement, &accept) {
            stops.push(line.clone());
        }
        if let (By::Person(person), Verdict::NotChecked) = (&row.by, judgement.verdict) {
            manual.push(json!({"id": format!("{}@{core}", row.reference()),
                "text": format!("{} of {core} is the value in the response file: {}", row.id, person.look)}));
        }
        if !judgement.finding.is_empty() {
            outcome.effects.push(Effect::Finding {
                id: row.reference(),
                sentence: line.clone(),
            });
        }
        let word = judgement.verdict.word();
        let count = counts.get(word).and_then(Value::as_u64).unwrap_or(0);
        counts.insert(word.to_owned(), Value::from(count + 1));
        let mut value = judgement.shown(&row.id);
        if let Value::Object(fields) = &mut value {
            fields.insert("page".into(), Value::from(row.page));
            fields.insert("hosts".into(), json!(hosts));
        }
        shown.push(value);
        lines.push(line);
    }
    Ok(outcome
        .with("rows", shown)
        .with("lines", lines)
        .with("counts", Value::Object(counts))
        .with("stops", stops)
        .with("manual", manual))
}

/// One line: `RESP-ID of CORE: VERDICT, FINDING: REASON`.
fn line(row: &Row, core: &str, judgement: &Judgement) -> String {
    let mut line = format!(
        "{} of {core}: {}",
        row.reference(),
        judgement.verdict.word()
    );
    if !judgement.finding.is_empty() {
        line.push_str(&format!(", {}", judgement.finding));
    }
    if !judgement.reason.is_empty() {
        line.push_str(&format!(": {}", judgement.reason));
    }
    line
}

fn stops_upgrade(row: &Row, judgement: &Judgement, accept: &[String]) -> bool {
    let accepted = |id: &str| accept.iter().any(|known| known == id);
    match judgement.verdict {
        Verdict::Mismatch => {
            let by_item = matches!(row.by, By::Utilities(_)) && accepted("PREP-WIN-2");
            !by_item && !accepted(&row.reference())
        }
        Verdict::Missing => row.needed != Needed::No,
        // What is local, or was taken off by the upgrade itself, is decided by the mount table.
        Verdict::Indeterminate => {
            judgement.finding != "not_mounted"
                && !accepted("RESP-VERIFY")
                && !accepted(&row.reference())
        }
        _ => false,
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Said<'_> {
    fn row(&self, row: &Row, site: &Site) -> (Judgement, Vec<String>) {
        if !row.applies(site.target, &|id| site.has(id)) {
            let reason = match row.needed {
                Needed::No => "the upgrade makes no use of it".to_owned(),
                _ => match &row.condition {
                    Some(condition) => format!("only with {condition}"),
                    None => "not of this kind of target".to_owned(),
                },
            };
            return (Judgement::of(Verdict::NotApplicable, reason), Vec::new());
        }
        let (by_servers, hosts) = self.servers(row);
        let judgement = match &row.by {
            By::Account(_) if by_servers.verdict != Verdict::Missing => self.login(row),
            By::Names(which) if by_servers.verdict != Verdict::Missing => self.name(which),
            By::Person(_) if by_servers.verdict == Verdict::NotChecked => {
                self.person(row).unwrap_or(by_servers)
            }
            _ => by_servers,
        };
        (judgement, hosts)
    }

    /// The worst verdict of all servers that judged the row.
    fn servers(&self, row: &Row) -> (Judgement, Vec<String>) {
        let mut worst: Option<(Judgement, Vec<String>)> = None;
        for result in self.judged {
            let rows = result.get("rows").and_then(Value::as_array);
            let mut rows = rows.into_iter().flatten();
            let Some(entry) = rows.find(|entry| text(entry, "id") == row.id) else {
                continue;
            };
            let Some(judgement) = read(entry) else {
                continue;
            };
            let host = text(result, "host").to_owned();
            match &mut worst {
                Some((known, hosts)) if known.verdict == judgement.verdict => hosts.push(host),
                Some((known, _)) if known.verdict > judgement.verdict => {}
                _ => worst = Some((judgement, vec![host])),
            }
        }
        match worst {
            Some((mut judgement, hosts)) => {
                if judgement.verdict > Verdict::NotChecked {
                    judgement.reason = format!("{}: {}", hosts.join(", "), judgement.reason);
                }
                (judgement, hosts)
            }
            None => {
                let reason = format!("no server with {} was looked at", row.on);
                (Judgement::of(Verdict::Indeterminate, reason), Vec::new())
            }
        }
    }

    fn login(&self, row: &Row) -> Judgement {
        let result = self.logins.iter().find(|result| {
            let item = result.get("item");
            item.is_some_and(|item| text(item, "key") == row.id)
        });
        let Some(result) = result else {
            return Judgement::of(Verdict::NotChecked, "no logon was tried");
        };
        if text(result, "finding") == "missing_in_response" {
            return Judgement::of(Verdict::Missing, "the response file gives no value");
        }
        let advice = text(result, "advice");
        let mut judgement = read(result).unwrap_or_else(|| {
            Judgement::of(Verdict::Indeterminate, "the logon came to no verdict")
        });
        // A value that cannot be handed over was not proved, and the upgrade needs it.
        if judgement.verdict == Verdict::NotChecked {
            judgement.verdict = Verdict::Indeterminate;
        }
        if judgement.verdict != Verdict::Match {
            let parts = [text(result, "code"), judgement.reason.as_str(), advice];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            judgement.reason = parts.join("; ");
        }
        judgement
    }

    fn name(&self, which: &str) -> Judgement {
        let Some(names) = self.names else {
            return Judgement::of(Verdict::NotChecked, "the connect names were not read");
        };
        let field = |key: &str| names.get(key).and_then(Value::as_str).unwrap_or_default();
        let verdict = Verdict::read(field(&format!("{which}_verdict")));
        match verdict {
            Some(Verdict::Match) => Judgement::matches(),
            Some(verdict) => Judgement::of(verdict, field("reason")),
            None => Judgement::of(Verdict::Indeterminate, "the connect names were not judged"),
        }
    }

    /// What a person said; none if nobody was asked or answered.
    fn person(&self, row: &Row) -> Option<Judgement> {
        let ids = [
            format!("{}@{}", row.reference(), self.core),
            row.reference(),
        ];
        let recorded = ids.iter().find_map(|id| self.answers?.get(id));
        let typed = self
            .asked
            .iter()
            .find(|result| text(result, "id") == ids[0]);
        let answer = recorded.or_else(|| typed?.get("answer"))?;
        let word = match answer {
            Value::String(word) => word.as_str(),
            Value::Bool(true) => "yes",
            Value::Bool(false) => "no",
            other => text(other, "answer"),
        };
        let by = text(answer, "by");
        let who = if by.is_empty() { "a person" } else { by };
        match word.trim().to_ascii_lowercase().as_str() {
            "" => None,
            "no" | "n" | "false" => Some(Judgement::of(
                Verdict::Mismatch,
                format!("{who} saw another value"),
            )),
            _ => Some(Judgement::of(Verdict::Match, format!("confirmed by {who}"))),
        }
    }
}

/// A verdict as a module gave it.
fn read(entry: &Value) -> Option<Judgement> {
    Some(Judgement {
        verdict: Verdict::read(text(entry, "verdict"))?,
        finding: text(entry, "finding").to_owned(),
        reason: text(entry, "reason").to_owned(),
    })
}
