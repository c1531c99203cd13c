//! Questions of the installer, recognised by their words. Where and why one is answered is the
//! dialogue's business.

use super::menu::{self, Item};
use super::screen::Lines;

/// What the installer asks, as far as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// The menu of components.
    Components(Vec<Item>),
    /// The kind of installation: number and label of each.
    InstallationType(Vec<(u32, String)>),
    /// Simple or advanced interview: number and label of each.
    InterviewMode(Vec<(u32, String)>),
    /// A parameter of the interview, with the default in brackets.
    Parameter {
        name: String,
        default: Option<String>,
    },
    /// The same value once more, to be sure of it.
    Again,
    /// All parameters have values: is the interview over?
    InterviewDone,
    /// Name of the response file to be saved, with the one proposed.
    SaveAs { proposed: Option<String> },
    /// Shall the response file be saved?
    Save,
    /// Shall the installation go on with the file just saved?
    GoOn,
    /// Are the configuration values right?
    ConfirmValues,
    /// Something else that looks like a question.
    Unknown(String),
}

/// Reads what is asked at the end of what was printed since the last answer.
///
/// Nothing is recognised as long as the last line does not look like the end of a question, for
/// it may be in the middle of being printed.
pub(crate) fn read(lines: &Lines) -> Option<Prompt> {
    if let Some(items) = menu::read(lines) {
        return Some(Prompt::Components(items));
    }
    if !looks_asked(lines) {
        return None;
    }
    if let Some(prompt) = read_choices(lines) {
        return Some(prompt);
    }
    Some(read_question(lines))
}

/// Tells whether the open line, or the last one, ends as questions do.
fn looks_asked(lines: &Lines) -> bool {
    let open = lines.open.trim_end();
    if !open.is_empty() {
        return open.ends_with([':', '?', ']', ')', '>', '#', '=']);
    }
    lines.last().trim_end().ends_with('?')
}

fn read_choices(lines: &Lines) -> Option<Prompt> {
    let choices: Vec<(u32, String)> = lines.all().filter_map(read_choice).collect();
    if choices.len() < 2 {
        return None;
    }
    let any = |word: &str| {
        choices
            .iter()
            .any(|(_, label)| label.to_lowercase().contains(word))
    };
    if any("simple") && any("advanced") {
        return Some(Prompt::InterviewMode(choices));
    }
    any("installation").then_some(Prompt::InstallationType(choices))
}

/// Reads `2 - Label`, `2: Label`, `2) Label` or `2. Label`.
fn read_choice(line: &str) -> Option<(u32, String)> {
    let line = line.trim().trim_start_matches('[');
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let number = line.get(..digits)?.parse().ok()?;
    let rest = line.get(digits..)?.trim_start();
    let label = rest
        .trim_start_matches(['-', '\u{2013}', '\u{2014}', ':', ')', '.', ']'])
        .trim();
    (rest != label && !label.is_empty()).then(|| (number, label.to_owned()))
}

fn read_question(lines: &Lines) -> Prompt {
    let asked = lines.last().trim();
    let whole = lines.all().collect::<Vec<_>>().join(" ").to_lowercase();
    let question = asked.to_lowercase();
    let yes_or_no = ["y/n", "yes/no", "y|n", "(y or n)"]
        .iter()
        .any(|choice| question.contains(choice));
    let has = |words: &[&str]| words.iter().all(|word| whole.contains(word));
    if let Some(name) = parameter_name(lines) {
        return Prompt::Parameter {
            name,
            default: in_brackets(asked),
        };
    }
    if !yes_or_no
        && ["again", "verify", "retype", "re-enter", "confirm the"]
            .iter()
            .any(|word| question.contains(word))
    {
        return Prompt::Again;
    }
    if yes_or_no {
        if has(&["configuration value"])
            || has(&["values", "correct"])
            || has(&["confirm", "values"])
        {
            return Prompt::ConfirmValues;
        }
        if has(&["interview", "finish"])
            || has(&["all parameters", "value"])
            || has(&["interview", "complete"])
        {
            return Prompt::InterviewDone;
        }
        if question.contains("continue")
            && (whole.contains("response file") || whole.contains("installation"))
        {
            return Prompt::GoOn;
        }
        if question.contains("save") && whole.contains("response file") {
            return Prompt::Save;
        }
        return Prompt::Unknown(asked.to_owned());
    }
    if whole.contains("response file")
        && ["save", "write", "name"]
            .iter()
            .any(|word| whole.contains(word))
    {
        return Prompt::SaveAs {
            proposed: in_brackets(asked).filter(|path| path.starts_with('/')),
        };
    }
    Prompt::Unknown(asked.to_owned())
}

/// Reads the name in the last `Parameter 3 of 12 (truth.sid)`.
fn parameter_name(lines: &Lines) -> Option<String> {
    lines.all().rev().find_map(|line| {
        let rest = line.trim().strip_prefix("Parameter ")?;
        let (count, rest) = rest.split_once('(')?;
        let (name, _) = rest.split_once(')')?;
        (count.contains(" of ") && !name.is_empty()).then(|| name.trim().to_owned())
    })
}

/// Reads the default in the last square brackets of a line.
fn in_brackets(line: &str) -> Option<String> {
    let end = line.rfind(']')?;
    let begin = line.get(..end)?.find('[')?;
    line.get(begin + 1..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(text: &str) -> Option<Prompt> {
        read(&Lines::of(text))
    }

    #[test]
    fn questions_are_known_by_their_words() {
        let parameter = |name: &str, default: Option<&str>| Prompt::Parameter {
            name: name.into(),
            default: default.map(str::to_owned),
        };
        let table = [
            (
                "Parameter 3 of 12 (truth.sid)\nPlease enter the SID.\n[truth]: ",
                parameter("truth.sid", Some("truth")),
            ),
            (
                "Parameter 1 of 12 (cast.admin_pwd)\nPlease enter the password: ",
                parameter("cast.admin_pwd", None),
            ),
            ("\nPlease enter it again: ", Prompt::Again),
            ("Verify cast.admin_pwd: ", Prompt::Again),
            (
                "All parameters have values. Do you wish to finish the interview? (y/n): ",
                Prompt::InterviewDone,
            ),
            (
                "Name of response file to write [/var/opt/x/resp.1]: ",
                Prompt::SaveAs {
                    proposed: Some("/var/opt/x/resp.1".into()),
                },
            ),
            ("Save the response file? [Y/n] ", Prompt::Save),
            (
                "Response file written.\nWould you like to continue the installation using this response file? (y/n): ",
                Prompt::GoOn,
            ),
            (
                "The SAS configuration values are:\n a=1\nAre these values correct? [y/n] ",
                Prompt::ConfirmValues,
            ),
            (
                "Overwrite existing database objects? [y/N] ",
                Prompt::Unknown("Overwrite existing database objects? [y/N]".into()),
            ),
            (
                "Drop everything?\n",
                Prompt::Unknown("Drop everything?".into()),
            ),
        ];
        for (text, wanted) in table {
            assert_eq!(prompt(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn choices_are_types_or_modes() {
        let types = "1: Standalone Installation: Standalone Core\n2 - Multimaster Installation: First Core (convert from standalone)\n\
                     4 \u{2013} Multimaster Installation: Additional Core\nChoose: ";
        let Some(Prompt::InstallationType(choices)) = prompt(types) else {
            panic!("no types")
        };
        assert_eq!(
            choices
                .iter()
                .map(|(number, _)| *number)
                .collect::<Vec<_>>(),
            [1, 2, 4]
        );
        assert!(matches!(
            prompt("1) Simple Interview\n2) Advanced Interview\nMode [1]: "),
            Some(Prompt::InterviewMode(_))
        ));
    }

    #[test]
    fn output_in_the_middle_is_no_question() {
        for text in [
            "",
            "Installing OPSWspin",
            "Installing OPSWspin\n",
            "Copying files ...",
            "Parameter 3 of 12 (tru",
        ] {
            assert_eq!(prompt(text), None, "{text}");
        }
    }
}
