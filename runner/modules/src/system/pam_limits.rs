//! `community.general.pam_limits`: limits that a login gets.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec,
};

use crate::changing::{TextFile, fields, outcome};
use crate::describe::{example, needed, of_collection, path, returns, switch, text};

const ITEMS: [&str; 19] = [
    "core",
    "data",
    "fsize",
    "memlock",
    "nofile",
    "rss",
    "stack",
    "cpu",
    "nproc",
    "as",
    "maxlogins",
    "maxsyslogins",
    "priority",
    "locks",
    "sigpending",
    "msgqueue",
    "nice",
    "rtprio",
    "chroot",
];

const UNLIMITED: [&str; 3] = ["unlimited", "infinity", "-1"];

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[
            ("msg", "str", "The line as it is now."),
            ("backup_file", "str", "Where the old file was kept."),
        ]),
        examples: vec![example(
            "Let a user open more files",
            "community.general.pam_limits:\n  domain: web\n  limit_type: soft\n  limit_item: nofile\n  value: 64000",
        )],
        ..of_collection(
            "community.general",
            "pam_limits",
            "Keeps limits that a login gets.",
            vec![
                needed(text("domain", "A user, `@group`, `*` or `%`.")),
                needed(text("limit_type", "Whether it can be raised."))
                    .choices(&["hard", "soft", "-"]),
                needed(text("limit_item", "What is limited.")).choices(&ITEMS),
                needed(text("value", "A number, `unlimited`, `infinity` or `-1`.")),
                switch("backup", "Keeps a copy of the old file beside it."),
                switch("use_max", "Never lowers a value."),
                switch("use_min", "Never raises a value."),
                path("dest", "The file.").defaults_to("/etc/security/limits.conf"),
                text("comment", "A comment at the end of the line.").defaults_to(""),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let limit = Limit::of(&arguments)?;
    let file = TextFile::read(&host, arguments.text_or_empty("dest")).await?;
    let (after, line) = limit.put(&file)?;
    let mut result = fields([("msg", line.into())]);
    if after == file.text {
        return Ok(outcome(false, result));
    }
    file.declare(&host, &after, result.clone()).await?;
    let backup = arguments.flag("backup");
    if let Some(kept) = file.write(&host, after, 0o644, backup).await? {
        result.insert("backup_file".into(), kept.into());
    }
    Ok(outcome(true, result))
}

struct Limit<'a> {
    what: [&'a str; 3],
    value: &'a str,
    comment: &'a str,
    use_max: bool,
    use_min: bool,
}

impl<'a> Limit<'a> {
    fn of(arguments: &'a Arguments) -> Result<Self, Failure> {
        let value = arguments.text_or_empty("value");
        let item = arguments.text_or_empty("limit_item");
        let is_rank = item == "nice" || item == "priority";
        if !(is_value(value) || is_rank && value.parse::<i8>().is_ok()) {
            return Err(Failure::new(
                "Argument 'value' can be one of 'unlimited', 'infinity', '-1' or positive number. Refer to manual pages for more details.",
            ));
        }
        let (use_max, use_min) = (arguments.flag("use_max"), arguments.flag("use_min"));
        if use_max && use_min {
            return Err(Failure::new(
                "Cannot use use_min and use_max at the same time.",
            ));
        }
        Ok(Self {
            what: [
                arguments.text_or_empty("domain"),
                arguments.text_or_empty("limit_type"),
                item,
            ],
            value,
            comment: arguments.text_or_empty("comment"),
            use_max,
            use_min,
        })
    }

    /// The file with the limit in it, and its line.
    fn put(&self, file: &TextFile) -> Result<(String, String), Failure> {
        let mut text = String::new();
        let mut shown = None;
        for line in file.text.split_inclusive('\n') {
            let (rule, _) = line.split_once('#').unwrap_or((line, ""));
            let words: Vec<&str> = rule.split_whitespace().collect();
            let [domain, kind, item, actual] = words[..] else {
                text.push_str(line);
                continue;
            };
            if [domain, kind, item] != self.what {
                text.push_str(line);
                continue;
            }
            let value = self.chosen(actual);
            if value == actual {
                text.push_str(line);
                shown = Some(line.trim_end().to_owned());
                continue;
            }
            let comment = Some(self.comment).filter(|own| !own.is_empty());
            let new = self.line(value, comment.unwrap_or(comment_of(line)));
            text.push_str(&new);
            shown = Some(new.trim_end().to_owned());
        }
        if let Some(shown) = shown {
            return Ok((text, shown));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let new = self.line(self.value, self.comment);
        text.push_str(&new);
        Ok((text, new.trim_end().to_owned()))
    }

    /// The value that shall stand where another one stands.
    fn chosen<'v>(&'v self, actual: &'v str) -> &'v str {
        let rank = |value: &str| {
            if UNLIMITED.contains(&value) {
                i64::MAX
            } else {
                value.parse().unwrap_or(0)
            }
        };
        let is_kept = (self.use_max && rank(actual) >= rank(self.value))
            || (self.use_min && rank(actual) <= rank(self.value));
        if is_kept { actual } else { self.value }
    }

    fn line(&self, value: &str, comment: &str) -> String {
        let [domain, kind, item] = self.what;
        let comment = match comment {
            "" => String::new(),
            comment => format!("\t#{comment}"),
        };
        format!("{domain}\t{kind}\t{item}\t{value}{comment}\n")
    }
}

fn comment_of(line: &str) -> &str {
    line.split_once('#')
        .map_or("", |(_, comment)| comment.trim_end_matches('\n'))
}

fn is_value(value: &str) -> bool {
    UNLIMITED.contains(&value) || (!value.is_empty() && value.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(limit: &Limit<'_>, text: &str) -> String {
        let file = TextFile {
            text: text.into(),
            ..TextFile::default()
        };
        limit.put(&file).unwrap().0
    }

    #[test]
    fn a_limit_is_added_changed_or_kept() {
        let mut limit = Limit {
            what: ["web", "soft", "nofile"],
            value: "200",
            comment: "",
            use_max: false,
            use_min: false,
        };
        let text = "# web soft nofile 5\nweb  soft nofile 100 # few\n* hard core 0\n";
        assert_eq!(
            put(&limit, text),
            "# web soft nofile 5\nweb\tsoft\tnofile\t200\t# few\n* hard core 0\n"
        );
        assert_eq!(put(&limit, "x"), "x\nweb\tsoft\tnofile\t200\n");
        limit.use_min = true;
        assert_eq!(put(&limit, text), text);
    }
}
