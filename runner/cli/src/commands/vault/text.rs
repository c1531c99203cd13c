//! Sealed values to be pasted into a file of variables.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use anyhow::bail;

use super::place::write;
use super::{Usage, Vault, said};
use crate::args::VaultText;
use crate::console::read_line;
use crate::output;

/// A value to seal, its name, and what it came from.
struct Plain {
    text: String,
    name: Option<String>,
    source: &'static str,
}

/// Seals the values that were given as arguments, on standard input or at the prompt.
pub(super) fn encrypt(vault: &Vault, arguments: &VaultText) -> anyhow::Result<()> {
    let secret = vault.sealing(&arguments.sealing)?;
    let plains = plains(arguments)?;
    let mut all = String::new();
    for (number, plain) in (1..).zip(&plains) {
        let sealed = vault.seal(plain.text.as_bytes(), &secret)?;
        if plains.len() > 1 {
            output::error_line(&heading(plain, number));
        }
        all.push_str(&block(&sealed, plain.name.as_deref()));
    }
    let to = arguments.output.as_deref().unwrap_or(Path::new("-"));
    write(to, all.as_bytes())?;
    said("Encryption successful");
    Ok(())
}

fn heading(plain: &Plain, number: usize) -> String {
    let source = plain.source;
    match &plain.name {
        Some(name) => format!(
            "# The encrypted version of variable (\"{name}\", the string #{number} from {source})."
        ),
        None => format!("# The encrypted version of the string #{number} from {source}.)"),
    }
}

/// A YAML value, with its name in front where it has one.
fn block(sealed: &str, name: Option<&str>) -> String {
    let mut text = name.map(|name| format!("{name}: ")).unwrap_or_default();
    text.push_str("!vault |\n");
    for line in sealed.lines() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "          {line}");
    }
    text
}

fn plains(arguments: &VaultText) -> anyhow::Result<Vec<Plain>> {
    let strings: Vec<&String> = arguments
        .strings
        .iter()
        .filter(|text| *text != "-")
        .collect();
    let has_dash = strings.len() < arguments.strings.len();
    let reads = has_dash
        || arguments.stdin_name.is_some()
        || (arguments.strings.is_empty() && !arguments.prompt);
    if reads && arguments.prompt {
        let message = "The --prompt option is not supported if also reading input from stdin";
        return Err(Usage(message.to_owned()).into());
    }
    let mut plains = Vec::new();
    if arguments.prompt {
        plains.push(typed(arguments.show_input)?);
    }
    if reads {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text)?;
        plains.push(Plain {
            text,
            name: arguments.stdin_name.clone(),
            source: "stdin",
        });
    }
    let mut names = arguments.names.iter().cloned();
    plains.extend(strings.into_iter().map(|text| Plain {
        text: text.clone(),
        name: names.next(),
        source: "the command line args",
    }));
    match plains.iter().find(|plain| plain.text.is_empty()) {
        Some(empty) => bail!("what came from {} was empty, not encrypting", empty.source),
        None => Ok(plains),
    }
}

fn typed(shows: bool) -> anyhow::Result<Plain> {
    let name = read_line("Variable name (enter for no name): ", true);
    let prompt = if shows {
        "String to encrypt: "
    } else {
        "String to encrypt (hidden): "
    };
    let Some(text) = read_line(prompt, shows) else {
        bail!("nothing was typed");
    };
    Ok(Plain {
        text,
        name: name.filter(|name| !name.is_empty()),
        source: "the interactive prompt",
    })
}

#[cfg(test)]
mod tests {
    use super::block;

    #[test]
    fn a_block_is_yaml() {
        assert_eq!(
            block("a\nb\n", Some("x")),
            "x: !vault |\n          a\n          b\n"
        );
        assert_eq!(block("a\n", None), "!vault |\n          a\n");
    }
}
