//! `community.general.locale_gen`: which languages and places the system's library knows.

use sasrun_plugin::{
    Arguments, Call, Failure, FunctionModule, Host, Module, ModuleResult, ModuleSpec, Object,
};

use crate::answers::{Answers, run as run_script, script};
use crate::changing::{TextFile, outcome};
use crate::describe::{example, needed, of_collection, presence, returns, texts};

/// The list that `locale-gen` works by.
const LIST: &str = "/etc/locale.gen";

pub(crate) fn module() -> Box<dyn Module> {
    FunctionModule::boxed(spec(), run)
}

fn spec() -> ModuleSpec {
    ModuleSpec {
        diff: true,
        returns: returns(&[("mechanisms", "list", "How it is done: `glibc`.")]),
        examples: vec![example(
            "Have a locale",
            "community.general.locale_gen:\n  name: de_CH.UTF-8",
        )],
        ..of_collection(
            "community.general",
            "locale_gen",
            "Makes the locales of the system's library, and takes them away.",
            vec![
                needed(texts("name", "The locales, such as `de_CH.UTF-8`.")),
                presence(),
            ],
        )
    }
}

async fn run(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let names = arguments.strings("name");
    let is_present = arguments.text("state") != Some("absent");
    let mut answers = Answers::of(
        &host,
        vec![
            script("locale -a 2>/dev/null; :"),
            script("cat /usr/share/i18n/SUPPORTED 2>/dev/null; :"),
        ],
    )
    .await?;
    let made = answers.command()?.stdout;
    let supported = answers.command()?.stdout;
    let list = TextFile::read(&host, LIST).await?;
    if !list.exists {
        return Err(Failure::new(
            "/etc/locale.gen is missing. Is the package \"locales\" installed?",
        ));
    }
    let known = |name: &str| {
        let lines = list.text.lines().chain(supported.lines());
        lines.filter_map(entry).any(|(locale, _)| locale == name)
    };
    let unknown: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !known(name))
        .collect();
    if !unknown.is_empty() {
        return Err(Failure::new(format!(
            "The following locales you have entered are not available on your system: {}",
            unknown.join(", ")
        )));
    }
    let mut result = Object::new();
    result.insert("mechanisms".into(), vec!["glibc"].into());
    let is_made = |name: &String| made.lines().any(|line| plain(line) == plain(name));
    let wanted = |name: &String| is_made(name) == is_present;
    if names.iter().all(wanted) {
        return Ok(outcome(false, result));
    }
    let after = listed(&list.text, &supported, &names, is_present);
    list.declare(&host, &after, result.clone()).await?;
    if after != list.text {
        list.write(&host, after, 0o644, false).await?;
    }
    run_script(&host, "locale-gen".into(), "making the locales").await?;
    Ok(outcome(true, result))
}

/// Locale and character set of a line of the list, commented out or not.
fn entry(line: &str) -> Option<(&str, &str)> {
    let line = line.trim().trim_start_matches('#').trim_start();
    let mut words = line.split_whitespace();
    let (locale, charset) = (words.next()?, words.next()?);
    words.next().is_none().then_some((locale, charset))
}

/// The name as `locale -a` and people may both write it: `de_CH.utf8` is `de_CH.UTF-8`.
fn plain(name: &str) -> String {
    let (language, charset) = name.split_once('.').unwrap_or((name, ""));
    let charset: String = charset.chars().filter(|c| *c != '-').collect();
    format!("{language}.{}", charset.to_ascii_lowercase())
}

/// The list with the locales in use, or commented out.
fn listed(list: &str, supported: &str, names: &[String], is_present: bool) -> String {
    let is_named = |locale: &str| names.iter().any(|name| name == locale);
    let mut text = String::new();
    for line in list.lines() {
        match entry(line).filter(|(locale, _)| is_named(locale)) {
            Some((locale, charset)) => {
                let mark = if is_present { "" } else { "# " };
                text.push_str(&format!("{mark}{locale} {charset}\n"));
            }
            None => text.push_str(&format!("{line}\n")),
        }
    }
    if is_present {
        let is_missing = |locale: &str| {
            !list
                .lines()
                .filter_map(entry)
                .any(|(known, _)| known == locale)
        };
        let more = supported.lines().filter_map(entry);
        for (locale, charset) in more.filter(|(locale, _)| is_named(locale) && is_missing(locale)) {
            text.push_str(&format!("{locale} {charset}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{entry, listed, plain};

    #[test]
    fn lines_are_taken_in_and_out() {
        let list = "# a comment of words\n# de_CH.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n";
        let names = ["de_CH.UTF-8".to_owned(), "fr_CH.UTF-8".to_owned()];
        let with = listed(list, "fr_CH.UTF-8 UTF-8\n", &names, true);
        assert_eq!(
            with,
            "# a comment of words\nde_CH.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\nfr_CH.UTF-8 UTF-8\n"
        );
        let without = listed(&with, "", &names, false);
        assert!(without.contains("# de_CH.UTF-8 UTF-8\n"), "{without}");
        assert_eq!(plain("de_CH.utf8"), plain("de_CH.UTF-8"));
        assert_eq!(entry("#  x Y"), Some(("x", "Y")));
    }
}
