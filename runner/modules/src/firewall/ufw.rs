//! `community.general.ufw`: the uncomplicated firewall.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
    Object, Outcome,
};

use crate::answers::{run as change, succeeded};
use crate::changing::{fields, outcome};
use crate::describe::{example, integer, of_collection, returns, set, switch, text};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        required_one_of: vec![set(&["state", "default", "rule", "logging"])],
        returns: returns(&[
            ("commands", "list", "Commands that were run."),
            ("msg", "str", "What ufw tells of itself now."),
        ]),
        examples: vec![example(
            "Let ssh in",
            "community.general.ufw:\n  rule: allow\n  name: OpenSSH",
        )],
        ..of_collection(
            "community.general",
            "ufw",
            "Keeps the uncomplicated firewall.",
            arguments(),
        )
    }
}

fn arguments() -> Vec<ArgumentSpec> {
    vec![
        text("state", "What the firewall shall be, or what to do.")
            .choices(&["disabled", "enabled", "reloaded", "reset"]),
        text("default", "What is done with what no rule takes.")
            .choices(&["allow", "deny", "reject"])
            .alias(&["policy"]),
        text("direction", "Which way packets go.")
            .choices(&["in", "incoming", "out", "outgoing", "routed"]),
        text("logging", "What is logged.").choices(&["full", "high", "low", "medium", "off", "on"]),
        integer("insert", "Place of a new rule."),
        text("insert_relative_to", "What the place is counted from.")
            .choices(&["first-ipv4", "first-ipv6", "last-ipv4", "last-ipv6", "zero"])
            .defaults_to("zero"),
        text("rule", "What is done with what the rule takes.")
            .choices(&["allow", "deny", "limit", "reject"]),
        switch("log", "Logs what the rule takes."),
        text("from_ip", "Where packets come from.")
            .alias(&["from", "src"])
            .defaults_to("any"),
        text("from_port", "Port that they come from."),
        text("to_ip", "Where packets go.")
            .alias(&["dest", "to"])
            .defaults_to("any"),
        text("to_port", "Port that they go to.").alias(&["port"]),
        text("proto", "Protocol.")
            .choices(&[
                "ah", "any", "esp", "gre", "igmp", "ipv6", "tcp", "udp", "vrrp",
            ])
            .alias(&["protocol"]),
        text("name", "Profile of an application.").alias(&["app"]),
        switch("delete", "Removes the rule."),
        text("interface", "Interface of the rule.").alias(&["if"]),
        text("interface_in", "Interface that packets come in by.").alias(&["if_in"]),
        text("interface_out", "Interface that packets go out by.").alias(&["if_out"]),
        switch("route", "The rule is about packets that are passed on."),
        text("comment", "Comment of the rule."),
    ]
}

/// Prints all that ufw keeps, so that two states can be compared.
const STATE: &str = "LC_ALL=C ufw status verbose && cat /etc/ufw/user.rules /etc/ufw/user6.rules \
    /var/lib/ufw/user.rules /var/lib/ufw/user6.rules 2>/dev/null | grep '^### tuple'; :";

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let before = host.read_script(STATE).await?;
    if before.stdout.is_empty() {
        return Err(Failure::new(format!(
            "ufw cannot be asked: {}",
            before.stderr.trim()
        )));
    }
    let before = before.stdout;
    let place = place(&host, &arguments).await?;
    let mut steps = Vec::new();
    for (command, is_right) in commands(&arguments, &before, place)? {
        if !is_right && !would_not(&host, &command, &arguments).await? {
            steps.push(command);
        }
    }
    let result = |steps: &[String], state: &str| {
        fields([
            ("commands", steps.to_vec().into()),
            ("msg", state.trim().into()),
        ])
    };
    if steps.is_empty() {
        return Ok(outcome(false, result(&[], &before)));
    }
    host.will_change(steps.join("; "), None, Object::new())
        .await?;
    change(
        &host,
        format!("LC_ALL=C; export LC_ALL; {}", steps.join(" && ")),
        "ufw",
    )
    .await?;
    let after = succeeded(host.read_script(STATE).await?, "ufw")?.stdout;
    let always = matches!(arguments.text("state"), Some("reloaded" | "reset"));
    Ok(Outcome {
        changed: always || after != before,
        ..outcome(true, result(&steps, &after))
    })
}

/// Finds the number that a new rule gets, counted from where the task counts; none for the end.
async fn place(host: &Host, arguments: &Arguments) -> Result<Option<i64>, Failure> {
    let Some(place) = arguments.integer("insert") else {
        return Ok(None);
    };
    let from = match arguments.text("insert_relative_to") {
        None | Some("zero") => return Ok(Some(place)),
        Some(from) => from,
    };
    let listed = host.read_script("LC_ALL=C ufw status numbered").await?;
    Ok(counted(&listed.stdout, place, from))
}

/// Counts from the first or last rule of a family; none past the last rule, for ufw refuses that.
fn counted(listed: &str, place: i64, from: &str) -> Option<i64> {
    let rules = listed.lines().filter_map(|line| {
        let (number, rest) = line.strip_prefix('[')?.split_once(']')?;
        Some((number.trim().parse::<i64>().ok()?, rest.contains("(v6)")))
    });
    let (mut last, mut last_ipv4) = (0, None);
    let mut has_ipv6 = false;
    for (number, is_ipv6) in rules {
        last = last.max(number);
        has_ipv6 |= is_ipv6;
        if !is_ipv6 {
            last_ipv4 = last_ipv4.max(Some(number));
        }
    }
    let start = match from {
        "last-ipv4" => last_ipv4.unwrap_or(1),
        "first-ipv6" => last_ipv4.map_or(1, |number| number + 1),
        "last-ipv6" if has_ipv6 => last,
        "last-ipv6" => last + 1,
        _ => 1,
    };
    Some(start.saturating_add(place)).filter(|number| *number <= last)
}

/// Asks ufw whether a rule is there already.
async fn would_not(host: &Host, command: &str, arguments: &Arguments) -> Result<bool, Failure> {
    if !arguments.has("rule") || arguments.flag("delete") && arguments.has("insert") {
        return Ok(false);
    }
    let Some(rest) = command.strip_prefix("ufw ") else {
        return Ok(false);
    };
    if rest.starts_with("--force")
        || rest.starts_with("logging")
        || rest.starts_with("default")
        || rest == "reload"
    {
        return Ok(false);
    }
    let output = host
        .read_script(format!("LC_ALL=C ufw --dry-run {rest}"))
        .await?;
    let skips = |text: &str| {
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        !lines.is_empty()
            && lines.iter().all(|line| {
                line.starts_with("Skipping")
                    || line.starts_with("Could not delete non-existent rule")
            })
    };
    Ok(output.succeeded() && skips(&output.stdout))
}

/// Returns the commands in their order, each with whether the state shows that it is needless.
fn commands(
    arguments: &Arguments,
    state: &str,
    place: Option<i64>,
) -> Result<Vec<(String, bool)>, Failure> {
    let is_active = state.lines().any(|line| line.trim() == "Status: active");
    let mut commands = Vec::new();
    match arguments.text("state") {
        Some("enabled") => commands.push(("ufw --force enable".to_owned(), is_active)),
        Some("disabled") => commands.push(("ufw --force disable".to_owned(), !is_active)),
        Some("reloaded") => commands.push(("ufw --force reload".to_owned(), false)),
        Some(_) => commands.push(("ufw --force reset".to_owned(), false)),
        None => {}
    }
    if let Some(level) = arguments.text("logging") {
        let line = state
            .lines()
            .find_map(|line| line.strip_prefix("Logging: "))
            .unwrap_or_default();
        let is_so = match level {
            "on" => line.starts_with("on"),
            "off" => line == "off",
            level => line == format!("on ({level})"),
        };
        commands.push((format!("ufw logging {level}"), is_so));
    }
    if let Some(policy) = arguments.text("default") {
        let direction = match arguments.text("direction") {
            Some("in" | "incoming") | None => "incoming",
            Some("out" | "outgoing") => "outgoing",
            Some(_) => "routed",
        };
        let line = state
            .lines()
            .find_map(|line| line.strip_prefix("Default: "))
            .unwrap_or_default();
        let is_so = line
            .split(", ")
            .any(|part| part == format!("{policy} ({direction})"));
        commands.push((format!("ufw default {policy} {direction}"), is_so));
    }
    if arguments.has("rule") {
        commands.push((rule(arguments, place)?, false));
    }
    Ok(commands)
}

fn rule(arguments: &Arguments, place: Option<i64>) -> Result<String, Failure> {
    let given = |name: &str| arguments.text(name).filter(|text| !text.is_empty());
    if given("interface").is_some() && given("direction").is_none() && !arguments.flag("route") {
        return Err(Failure::new(
            "Direction must be specified when creating a rule on an interface.",
        ));
    }
    let mut words = vec!["ufw".to_owned()];
    let mut add = |word: &str| words.push(Host::quote(word));
    for (flag, word) in [("route", "route"), ("delete", "delete")] {
        if arguments.flag(flag) {
            add(word);
        }
    }
    if let Some(place) = place.filter(|_| !arguments.flag("delete")) {
        add("insert");
        add(&place.to_string());
    }
    add(given("rule").unwrap_or_default());
    match given("direction") {
        Some("in" | "incoming") => add("in"),
        Some("out" | "outgoing") => add("out"),
        _ => {}
    }
    for (name, lead) in [
        ("interface", "on"),
        ("interface_in", "in on"),
        ("interface_out", "out on"),
    ] {
        if let Some(interface) = given(name) {
            lead.split(' ').for_each(&mut add);
            add(interface);
        }
    }
    if arguments.flag("log") {
        add("log");
    }
    for (name, lead) in [
        ("from_ip", "from"),
        ("from_port", "port"),
        ("to_ip", "to"),
        ("to_port", "port"),
        ("proto", "proto"),
        ("name", "app"),
        ("comment", "comment"),
    ] {
        if let Some(value) = given(name) {
            add(lead);
            add(value);
        }
    }
    Ok(words.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn commands_follow_the_arguments() {
        let given = json!({"rule": "allow", "port": "80", "proto": "tcp", "comment": "the web", "state": "enabled"});
        let arguments = Arguments::check(&spec(), given.as_object().unwrap()).unwrap();
        let commands = commands(
            &arguments,
            "Status: active\nDefault: deny (incoming), allow (outgoing)\n",
            None,
        )
        .unwrap();
        assert_eq!(commands[0], ("ufw --force enable".to_owned(), true));
        assert_eq!(
            commands[1].0,
            "ufw allow from any to any port 80 proto tcp comment 'the web'"
        );
    }

    #[test]
    fn places_are_counted_from_where_the_task_says() {
        let listed = "Status: active\n\n     To  Action  From\n     --  ------  ----\n\
            [ 1] 22  ALLOW IN  Anywhere\n[ 2] 80  ALLOW IN  Anywhere\n\
            [ 3] 22 (v6)  ALLOW IN  Anywhere (v6)\n[ 4] 80 (v6)  ALLOW IN  Anywhere (v6)\n";
        let at = |place, from| counted(listed, place, from);
        assert_eq!(at(0, "first-ipv4"), Some(1));
        assert_eq!(at(0, "last-ipv4"), Some(2));
        assert_eq!(at(1, "first-ipv6"), Some(4));
        assert_eq!(at(-1, "last-ipv6"), Some(3));
        assert_eq!(at(1, "last-ipv6"), None);
        assert_eq!(counted("Status: active\n", 0, "first-ipv4"), None);
    }
}
