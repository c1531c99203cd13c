//! The command lines of `su` and `sudo`.

/// What `su` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Su {
    pub user: String,
    pub login: bool,
    pub shell: Option<String>,
    pub command: Option<String>,
    pub rest: Vec<String>,
}

impl Su {
    /// Reads the arguments; options may stand before and behind the user.
    pub fn read(args: &[String]) -> Result<Self, String> {
        let mut su = Self {
            user: "root".to_owned(),
            login: false,
            shell: None,
            command: None,
            rest: Vec::new(),
        };
        let mut named = false;
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "-" | "-l" | "--login" => su.login = true,
                "-m" | "-p" | "--preserve-environment" | "-f" => {}
                "-c" | "--command" => su.command = Some(value(args.next(), "c")?),
                "-s" | "--shell" => su.shell = Some(value(args.next(), "s")?),
                "--" => {}
                _ if arg.starts_with('-') && !named => {
                    return Err(format!(
                        "invalid option -- '{}'",
                        arg.trim_start_matches('-')
                    ));
                }
                _ if !named => {
                    su.user.clone_from(arg);
                    named = true;
                }
                _ => su.rest.push(arg.clone()),
            }
        }
        Ok(su)
    }
}

/// What `sudo` is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sudo {
    pub user: String,
    pub from_stdin: bool,
    pub never_ask: bool,
    pub keep_environment: bool,
    pub shell: bool,
    pub login: bool,
    pub prompt: Option<String>,
    pub variables: Vec<(String, String)>,
    pub command: Vec<String>,
}

impl Sudo {
    /// Reads the arguments; the first that is neither option nor assignment begins the command.
    pub fn read(args: &[String]) -> Result<Self, String> {
        let mut sudo = Self {
            user: "root".to_owned(),
            ..Self::default()
        };
        let mut args = args.iter().cloned();
        while let Some(arg) = args.next() {
            if arg == "--" {
                sudo.command.extend(args.by_ref());
            } else if let Some(long) = arg.strip_prefix("--") {
                sudo.long(long, &mut args)?;
            } else if let Some(letters) =
                arg.strip_prefix('-').filter(|letters| !letters.is_empty())
            {
                sudo.letters(letters, &mut args)?;
            } else if let Some((name, value)) =
                arg.split_once('=').filter(|(name, _)| is_name(name))
            {
                sudo.variables.push((name.to_owned(), value.to_owned()));
            } else {
                sudo.command.push(arg);
                sudo.command.extend(args.by_ref());
            }
        }
        Ok(sudo)
    }

    fn long(
        &mut self,
        option: &str,
        args: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        let (name, given) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option, None),
        };
        match name {
            "stdin" => self.from_stdin = true,
            "non-interactive" => self.never_ask = true,
            "preserve-env" => self.keep_environment = true,
            "set-home" | "reset-timestamp" | "remove-timestamp" | "validate" => {}
            "login" => self.login = true,
            "shell" => self.shell = true,
            "user" => self.user = value(given.or_else(|| args.next()).as_ref(), "user")?,
            "prompt" => {
                self.prompt = Some(value(given.or_else(|| args.next()).as_ref(), "prompt")?)
            }
            _ => return Err(format!("unrecognized option '--{name}'")),
        }
        Ok(())
    }

    fn letters(
        &mut self,
        letters: &str,
        args: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            match letter {
                'S' => self.from_stdin = true,
                'n' => self.never_ask = true,
                'E' => self.keep_environment = true,
                'H' | 'k' | 'K' | 'v' | 'b' => {}
                'i' => self.login = true,
                's' => self.shell = true,
                'u' | 'p' | 'g' => {
                    let rest = letters
                        .get(at + 1..)
                        .filter(|rest| !rest.is_empty())
                        .map(str::to_owned);
                    let text = value(rest.or_else(|| args.next()).as_ref(), &letter.to_string())?;
                    match letter {
                        'u' => self.user = text,
                        'p' => self.prompt = Some(text),
                        _ => {}
                    }
                    return Ok(());
                }
                _ => return Err(format!("invalid option -- '{letter}'")),
            }
        }
        Ok(())
    }
}

fn value(given: Option<&String>, option: &str) -> Result<String, String> {
    given
        .cloned()
        .ok_or_else(|| format!("option requires an argument -- '{option}'"))
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn sudo_reads_options_variables_and_leaves_the_command_alone() {
        let sudo = Sudo::read(&words("-HSp p> -u oracle A=1 /bin/sh -c -u")).unwrap();
        assert!(sudo.from_stdin && !sudo.never_ask);
        assert_eq!(
            (sudo.user.as_str(), sudo.prompt.as_deref()),
            ("oracle", Some("p>"))
        );
        assert_eq!(sudo.variables, [("A".to_owned(), "1".to_owned())]);
        assert_eq!(sudo.command, ["/bin/sh", "-c", "-u"]);
        assert!(Sudo::read(&words("-Z")).is_err());
        assert_eq!(
            Sudo::read(&words("--user=occ -n true")).unwrap().user,
            "occ"
        );
    }

    #[test]
    fn su_takes_options_on_both_sides_of_the_user() {
        let su = Su::read(&words("- oracle -c id")).unwrap();
        assert_eq!(
            (su.user.as_str(), su.login, su.command.as_deref()),
            ("oracle", true, Some("id"))
        );
        let su = Su::read(&words("oracle -s /bin/sh -c id")).unwrap();
        assert_eq!((su.login, su.shell.as_deref()), (false, Some("/bin/sh")));
        assert_eq!(Su::read(&[]).unwrap().user, "root");
    }
}
