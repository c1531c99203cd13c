//! `iptables`: rules, chains and policies of the kernel's packet filter.

use sasrun_plugin::{
    ArgumentSpec, Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
};
use serde_json::Value;

use crate::answers::succeeded;
use crate::changing::{carry_out, fields, outcome};
use crate::describe::{core, dictionary, example, presence, returns, set, switch, text, texts};

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        mutually_exclusive: vec![
            set(&["set_dscp_mark", "set_dscp_mark_class"]),
            set(&["flush", "policy"]),
        ],
        returns: returns(&[
            ("rule", "str", "The rule."),
            ("chain", "str", "The chain."),
            ("table", "str", "The table."),
        ]),
        examples: vec![example(
            "Let web traffic in",
            "ansible.builtin.iptables:\n  chain: INPUT\n  protocol: tcp\n  destination_port: '80'\n  jump: ACCEPT",
        )],
        ..core(
            "iptables",
            "Keeps rules of the kernel's packet filter.",
            arguments(),
        )
    }
}

/// Options of a rule that are one word, in the order in which they are written.
const PLAIN: [(&str, &str, &str); 5] = [
    ("protocol", "-p", "Protocol; `!` before it means any other."),
    ("source", "-s", "Where packets come from."),
    ("destination", "-d", "Where packets go."),
    ("in_interface", "-i", "Interface that packets come in by."),
    ("out_interface", "-o", "Interface that packets go out by."),
];

fn arguments() -> Vec<ArgumentSpec> {
    let mut all: Vec<ArgumentSpec> = PLAIN
        .iter()
        .map(|(name, _, what)| text(name, what))
        .collect();
    for (name, what) in [
        ("chain", "The chain."),
        ("rule_num", "Place at which a rule is inserted."),
        ("jump", "What is done with a packet."),
        ("goto", "Chain to go on in."),
        ("gateway", "Host that gets a copy."),
        ("log_prefix", "Words before a line of the log."),
        ("fragment", "Fragments of packets."),
        ("set_counters", "Counters to begin with."),
        ("source_port", "Port that packets come from."),
        ("destination_port", "Port that packets go to."),
        ("to_ports", "Ports to redirect to."),
        ("to_destination", "Address to send to instead."),
        ("to_source", "Address to send from instead."),
        ("set_dscp_mark", "Mark to set."),
        ("set_dscp_mark_class", "Class of mark to set."),
        ("comment", "Comment of the rule."),
        ("src_range", "Range of addresses that packets come from."),
        ("dst_range", "Range of addresses that packets go to."),
        ("match_set", "Set of addresses."),
        ("limit", "How often it may match."),
        ("limit_burst", "How often it may match at once."),
        ("uid_owner", "User who sends."),
        ("gid_owner", "Group that sends."),
        ("reject_with", "What a refusal says."),
        ("icmp_type", "Kind of ICMP."),
        ("wait", "How long to wait for the lock, in seconds."),
    ] {
        all.push(text(name, what));
    }
    let list = |name: &str, what: &str| texts(name, what).defaults_to(Value::Array(Vec::new()));
    all.extend([
        text("table", "The table.")
            .choices(&["filter", "mangle", "nat", "raw", "security"])
            .defaults_to("filter"),
        presence(),
        text("action", "Where a new rule goes.")
            .choices(&["append", "insert"])
            .defaults_to("append"),
        text("ip_version", "Which protocol.")
            .choices(&["both", "ipv4", "ipv6"])
            .defaults_to("ipv4"),
        text("log_level", "Level of the log.").choices(&[
            "0", "1", "2", "3", "4", "5", "6", "7", "alert", "crit", "debug", "emerg", "error",
            "info", "notice", "warning",
        ]),
        text("syn", "Packets that begin a connection.")
            .choices(&["ignore", "match", "negate"])
            .defaults_to("ignore"),
        text("match_set_flags", "Which address is looked for in the set.")
            .choices(&["dst", "dst,dst", "dst,src", "src", "src,dst", "src,src"]),
        text(
            "policy",
            "What a chain does with packets that no rule takes.",
        )
        .choices(&["ACCEPT", "DROP", "QUEUE", "RETURN"]),
        dictionary("tcp_flags", "`flags` to look at and `flags_set` of them."),
        list("match", "Extensions."),
        list("destination_ports", "Ports that packets go to."),
        list("ctstate", "States of connections."),
        switch("flush", "Removes all rules of the chain or table."),
        switch("chain_management", "Makes and removes the chain itself."),
        switch("numeric", "Does not look up names."),
    ]);
    all
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    if !arguments.has("chain") && !arguments.flag("flush") {
        return Err(Failure::new(
            "Either chain or flush parameter must be specified.",
        ));
    }
    let mut rule = Rule::of(&arguments);
    let versions: &[&str] = match arguments.text_or_empty("ip_version") {
        "both" => &["iptables", "ip6tables"],
        "ipv6" => &["ip6tables"],
        _ => &["iptables"],
    };
    let mut steps = Vec::new();
    for tool in versions {
        rule.icmp = if *tool == "ip6tables" {
            "--icmpv6-type"
        } else {
            "--icmp-type"
        };
        steps.extend(rule.step(&host, tool).await?);
    }
    let mut result = fields([
        ("rule", rule.words().join(" ").into()),
        ("flush", arguments.flag("flush").into()),
    ]);
    for name in ["chain", "table", "state", "ip_version", "chain_management"] {
        result.insert(
            name.to_owned(),
            arguments.value(name).cloned().unwrap_or_default(),
        );
    }
    if steps.is_empty() {
        return Ok(outcome(false, result));
    }
    let summary = format!("change the chain {}", arguments.text_or_empty("chain"));
    carry_out(&host, summary, None, steps.join(" && "), result).await
}

struct Rule<'a> {
    arguments: &'a Arguments,
    icmp: &'static str,
}

impl<'a> Rule<'a> {
    fn of(arguments: &'a Arguments) -> Self {
        Self {
            arguments,
            icmp: "--icmp-type",
        }
    }

    /// Writes one command about the chain.
    fn command(&self, tool: &str, action: &str, with_rule: bool) -> String {
        let given = |name: &str| self.arguments.text_or_empty(name);
        let mut words = vec![
            tool.to_owned(),
            "-t".to_owned(),
            given("table").to_owned(),
            action.to_owned(),
        ];
        words.extend(self.arguments.text("chain").map(str::to_owned));
        if action == "-I" {
            words.extend(self.arguments.text("rule_num").map(str::to_owned));
        }
        if let Some(seconds) = self.arguments.text("wait") {
            words.extend(["-w".to_owned(), seconds.to_owned()]);
        }
        if with_rule {
            words.extend(self.words());
        }
        let words: Vec<String> = words.iter().map(|word| Host::quote(word)).collect();
        words.join(" ")
    }

    /// Returns the command that brings the wanted state about, if any is needed.
    async fn step(&self, host: &Host, tool: &str) -> Result<Option<String>, Failure> {
        let is_present = self.arguments.text("state") != Some("absent");
        if self.arguments.flag("flush") {
            return Ok(Some(self.command(tool, "-F", false)));
        }
        let numeric = if self.arguments.flag("numeric") {
            " --numeric"
        } else {
            ""
        };
        let list = format!("{}{numeric}", self.command(tool, "-L", false));
        if let Some(policy) = self.arguments.text("policy") {
            let shown = succeeded(host.read_script(list).await?, tool)?.stdout;
            let is_so = shown
                .lines()
                .next()
                .is_some_and(|line| line.contains(&format!("(policy {policy}")));
            return Ok((!is_so).then(|| format!("{} {policy}", self.command(tool, "-P", false))));
        }
        let manages = self.arguments.flag("chain_management");
        let has_rule = !self.words().is_empty();
        let read = format!(
            "if {list} >/dev/null 2>&1; then echo chain; fi; if {} >/dev/null 2>&1; then echo rule; fi",
            self.command(tool, "-C", true)
        );
        let found = succeeded(host.read_script(read).await?, tool)?.stdout;
        let (chain, rule) = (found.contains("chain"), found.contains("rule"));
        if manages && !has_rule && chain != is_present {
            return Ok(Some(self.command(
                tool,
                if is_present { "-N" } else { "-X" },
                false,
            )));
        }
        if !has_rule && manages || rule == is_present {
            return Ok(None);
        }
        let insert = self.arguments.text("action") == Some("insert");
        let step = match (is_present, insert) {
            (false, _) => self.command(tool, "-D", true),
            (true, true) => self.command(tool, "-I", true),
            (true, false) => self.command(tool, "-A", true),
        };
        let makes = (manages && !chain && is_present).then(|| self.command(tool, "-N", false));
        Ok(Some(match makes {
            Some(make) => format!("{make} && {step}"),
            None => step,
        }))
    }

    /// Returns the words of the rule.
    fn words(&self) -> Vec<String> {
        let mut line = Line {
            arguments: self.arguments,
            words: Vec::new(),
        };
        let jump = self.arguments.text_or_empty("jump").to_lowercase();
        for (name, option, _) in PLAIN.iter().take(3) {
            line.option(name, option);
        }
        for name in self.arguments.strings("match") {
            line.pair("-m", &name);
        }
        line.flags();
        line.option("jump", "-j");
        if jump == "tee" {
            line.option("gateway", "--gateway");
        }
        line.options(&[
            ("log_prefix", "--log-prefix"),
            ("log_level", "--log-level"),
            ("to_destination", "--to-destination"),
        ]);
        line.joined("destination_ports", "multiport", "--dports");
        line.options(&[
            ("to_source", "--to-source"),
            ("goto", "-g"),
            ("in_interface", "-i"),
            ("out_interface", "-o"),
        ]);
        line.options(&[
            ("fragment", "-f"),
            ("set_counters", "-c"),
            ("source_port", "--source-port"),
        ]);
        line.options(&[
            ("destination_port", "--destination-port"),
            ("to_ports", "--to-ports"),
        ]);
        line.options(&[
            ("set_dscp_mark", "--set-dscp"),
            ("set_dscp_mark_class", "--set-dscp-class"),
        ]);
        line.states();
        line.ranges();
        if self.arguments.has("limit") || self.arguments.has("limit_burst") {
            line.extension("limit");
        }
        line.options(&[("limit", "--limit"), ("limit_burst", "--limit-burst")]);
        for (name, option) in [("uid_owner", "--uid-owner"), ("gid_owner", "--gid-owner")] {
            if self.arguments.has(name) {
                line.pair("-m", "owner");
                line.option(name, option);
            }
        }
        if jump.is_empty() {
            for (name, target) in [
                ("reject_with", "REJECT"),
                ("set_dscp_mark_class", "DSCP"),
                ("set_dscp_mark", "DSCP"),
            ] {
                if self.arguments.has(name) {
                    line.pair("-j", target);
                }
            }
        }
        line.options(&[("reject_with", "--reject-with"), ("icmp_type", self.icmp)]);
        if self.arguments.has("comment") {
            line.pair("-m", "comment");
            line.option("comment", "--comment");
        }
        line.words
    }
}

/// The words of a rule on their way.
struct Line<'a> {
    arguments: &'a Arguments,
    words: Vec<String>,
}

impl Line<'_> {
    fn pair(&mut self, option: &str, value: &str) {
        if let Some(value) = value.strip_prefix('!') {
            self.words.push("!".to_owned());
            self.words
                .extend([option.to_owned(), value.trim().to_owned()]);
        } else {
            self.words.extend([option.to_owned(), value.to_owned()]);
        }
    }

    fn option(&mut self, name: &str, option: &str) {
        if let Some(value) = self
            .arguments
            .text(name)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
        {
            self.pair(option, &value);
        }
    }

    fn options(&mut self, all: &[(&str, &str)]) {
        for (name, option) in all {
            self.option(name, option);
        }
    }

    /// Loads an extension unless the task names it.
    fn extension(&mut self, name: &str) {
        if !self
            .arguments
            .strings("match")
            .iter()
            .any(|known| known == name)
        {
            self.pair("-m", name);
        }
    }

    fn joined(&mut self, name: &str, extension: &str, option: &str) {
        let values = self.arguments.strings(name);
        if !values.is_empty() {
            self.pair("-m", extension);
            self.pair(option, &values.join(","));
        }
    }

    fn flags(&mut self) {
        let Some(flags) = self.arguments.dictionary("tcp_flags") else {
            return;
        };
        let list = |key: &str| -> Option<String> {
            let items: Vec<&str> = flags
                .get(key)?
                .as_array()?
                .iter()
                .filter_map(Value::as_str)
                .collect();
            Some(items.join(","))
        };
        if let (Some(all), Some(set)) = (list("flags"), list("flags_set")) {
            self.words.extend(["--tcp-flags".to_owned(), all, set]);
        }
    }

    fn states(&mut self) {
        match self.arguments.text("syn") {
            Some("match") => self.words.push("--syn".to_owned()),
            Some("negate") => self.words.extend(["!".to_owned(), "--syn".to_owned()]),
            _ => {}
        }
        let states = self.arguments.strings("ctstate");
        if states.is_empty() {
            return;
        }
        let uses_state = self
            .arguments
            .strings("match")
            .iter()
            .any(|name| name == "state");
        if uses_state {
            self.pair("--state", &states.join(","));
        } else {
            self.extension("conntrack");
            self.pair("--ctstate", &states.join(","));
        }
    }

    fn ranges(&mut self) {
        if self.arguments.has("src_range") || self.arguments.has("dst_range") {
            self.extension("iprange");
            self.options(&[("src_range", "--src-range"), ("dst_range", "--dst-range")]);
        }
        if self.arguments.has("match_set") {
            self.extension("set");
            self.option("match_set", "--match-set");
            self.words
                .extend(self.arguments.text("match_set_flags").map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(given: Value) -> String {
        let arguments = Arguments::check(&spec(), given.as_object().unwrap()).unwrap();
        Rule::of(&arguments).words().join(" ")
    }

    #[test]
    fn rules_are_written_as_the_tool_wants_them() {
        assert_eq!(
            words(
                json!({"chain": "INPUT", "source": "!8.8.8.8", "ctstate": ["NEW", "RELATED"], "jump": "DROP"})
            ),
            "! -s 8.8.8.8 -j DROP -m conntrack --ctstate NEW,RELATED"
        );
        assert_eq!(
            words(
                json!({"chain": "F", "protocol": "tcp", "destination_ports": ["80", "443"], "comment": "x y", "jump": "ACCEPT"})
            ),
            "-p tcp -j ACCEPT -m multiport --dports 80,443 -m comment --comment x y"
        );
        assert_eq!(
            words(
                json!({"chain": "F", "match": ["limit"], "limit": "2/s", "reject_with": "tcp-reset", "syn": "negate"})
            ),
            "-m limit ! --syn --limit 2/s -j REJECT --reject-with tcp-reset"
        );
    }
}
