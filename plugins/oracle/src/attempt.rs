//! One logon: what SQL*Plus reads, the shell text around it, and the ledger of refused values.
//!
//! The password is in what SQL*Plus reads on standard input and nowhere else.

use sasrun_plugin::{Command, Host};
use sha2::{Digest, Sha256};

use crate::verdict::SUCCESS;

/// One account of one database as a host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// Connect name.
    pub(crate) alias: String,
    pub(crate) oracle_home: String,
    pub(crate) tns_admin: String,
    pub(crate) run_as: String,
}

/// Why a logon is not even tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTried {
    #[error("the password holds a double quote, which SQL*Plus cannot be given")]
    Quote,
    #[error("the password holds a line break")]
    LineBreak,
    #[error("the password holds a NUL")]
    Nul,
    #[error("the password is empty")]
    Empty,
}

/// Refuses values that cannot be handed over without changing their meaning.
pub(crate) fn passable(password: &str) -> Result<(), NotTried> {
    match password {
        "" => Err(NotTried::Empty),
        text if text.contains('"') => Err(NotTried::Quote),
        text if text.contains(['\n', '\r']) => Err(NotTried::LineBreak),
        text if text.contains('\0') => Err(NotTried::Nul),
        _ => Ok(()),
    }
}

impl Account {
    /// Tells what is wrong with the names, which end up in commands.
    pub(crate) fn problem(&self) -> Option<String> {
        let word = |text: &str, extra: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
                && !text.ends_with('-')
        };
        if !word(&self.name, "_$#") {
            return Some(format!("{:?} cannot be the name of an account", self.name));
        }
        if !word(&self.alias, "_.$#-") {
            return Some(format!("{:?} cannot be a connect name", self.alias));
        }
        let user = &self.run_as;
        if !user.is_empty() && !word(user, "_-") {
            return Some(format!("{user:?} cannot be the name of a user"));
        }
        None
    }

    /// Name of the account's file in the ledger.
    pub(crate) fn ledger_file(&self, ledger: &str) -> String {
        let name = format!("{}@{}", self.name, self.alias).to_ascii_lowercase();
        format!("{}/{name}", ledger.trim_end_matches('/'))
    }

    /// What stands for the value in the ledger: tied to the account, so that equal values of two
    /// accounts do not show.
    pub(crate) fn fingerprint(&self, password: &str) -> String {
        let text = format!("{}@{}\0{password}", self.name, self.alias);
        let digest = Sha256::digest(text.as_bytes());
        digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// What SQL*Plus reads. The two lines after CONNECT must differ: if the password has expired,
    /// they are taken for a new one and its repetition, and nothing may come of that.
    pub(crate) fn input(&self, password: &str) -> String {
        let (first, second) = SUCCESS.split_at("SASRUN-".len());
        format!(
            "set define off\nset echo off\nset heading off\nset pagesize 0\n\
             whenever oserror exit 9\nconnect {}/\"{password}\"@{}\n\
             select '{first}'||'{second}' from dual;\nexit\n",
            self.name, self.alias
        )
    }

    /// The command of the logon. It notes in the ledger that the value is being tried before it
    /// is, and how that ended: a run that dies between the two leaves the note.
    pub(crate) fn command(&self, password: &str, ledger: &str, timeout_ms: u64) -> Command {
        let quote = Host::quote;
        let file = quote(&self.ledger_file(ledger));
        let directory = quote(ledger);
        let value = self.fingerprint(password);
        let run = self.sqlplus();
        let script = format!(
            "umask 077\n\
             d={directory} f={file} v={value}\n\
             case `id` in uid=0[!0-9]*) root=yes;; *) root=no;; esac\n\
             [ -d \"$d\" ] || mkdir \"$d\" || {{ echo SASRUN-NO-LEDGER; exit 0; }}\n\
             echo \"trying $v\" >>\"$f\" || {{ echo SASRUN-NO-LEDGER; exit 0; }}\n\
             out=`{run} 2>&1`\n\
             echo \"$out\"\n\
             case $out in\n\
             *ORA-01017*) sed \"s/^trying $v\\$/refused $v/\" \"$f\" >\"$f.new\" && mv \"$f.new\" \"$f\";;\n\
             *ORA-01045*|*ORA-28001*|*{SUCCESS}*) rm -f \"$f\";;\n\
             *) sed \"/^trying $v\\$/d\" \"$f\" >\"$f.new\" && mv \"$f.new\" \"$f\"; [ -s \"$f\" ] || rm -f \"$f\";;\n\
             esac\n\
             rmdir \"$d\" 2>/dev/null\n\
             exit 0\n"
        );
        Command {
            script,
            stdin: Some(self.input(password)),
            directory: Some("/".into()),
            timeout_ms: Some(timeout_ms),
            // The password is not in it, but a client may have bugs.
            sensitive: true,
            ..Command::default()
        }
    }

    /// Shell text that runs SQL*Plus, as the right user. Not a login shell: its files could read
    /// what is meant for SQL*Plus. One line and no double quotes, for it stands in backticks.
    fn sqlplus(&self) -> String {
        let quote = Host::quote;
        let inner = format!(
            "ORACLE_HOME={home}; TNS_ADMIN={tns}; NLS_LANG=AMERICAN_AMERICA.AL32UTF8; LC_ALL=C; \
             SQLPATH=; LD_LIBRARY_PATH={home}/lib; export ORACLE_HOME TNS_ADMIN NLS_LANG LC_ALL \
             SQLPATH LD_LIBRARY_PATH; exec {home}/bin/sqlplus -S -L /nolog",
            home = quote(&self.oracle_home),
            tns = quote(&self.tns_admin),
        );
        let direct = format!("/bin/sh -c {}", quote(&inner));
        if self.run_as.is_empty() {
            return direct;
        }
        // The user's own shell may be any; it gets one word that /bin/sh understands.
        let as_user = format!(
            "su {} -c {}",
            quote(&self.run_as),
            quote(&format!("exec {direct}"))
        );
        format!("if [ \"$root\" = yes ]; then {as_user}; else {direct}; fi")
    }
}

/// What the ledger says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remembered {
    Nothing,
    /// An earlier run was refused with it.
    Refused,
    /// Two earlier tries never came to an end, so each may have counted.
    Unfinished,
}

/// Looks for a value in the text of a ledger's file.
pub(crate) fn remembered(ledger: &str, fingerprint: &str) -> Remembered {
    let noted = |word: &str| {
        let note = format!("{word} {fingerprint}");
        ledger.lines().filter(|line| *line == note).count()
    };
    match (noted("refused"), noted("trying")) {
        (1.., _) => Remembered::Refused,
        (0, 2..) => Remembered::Unfinished,
        (0, _) => Remembered::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            name: "spin".into(),
            alias: "truth".into(),
            oracle_home: "/u01/home".into(),
            tns_admin: "/var/opt/oracle".into(),
            run_as: "oracle".into(),
        }
    }

    #[test]
    fn the_two_lines_after_connect_differ() {
        let input = account().input("pw");
        let lines: Vec<&str> = input.lines().collect();
        let at = lines
            .iter()
            .position(|line| line.starts_with("connect "))
            .unwrap();
        assert_eq!(lines[at], "connect spin/\"pw\"@truth");
        assert_eq!(lines.len(), at + 3);
        assert_ne!(lines[at + 1], lines[at + 2]);
        assert!(!input.contains(SUCCESS), "input must not look like success");
        assert!(lines[..at].contains(&"set define off"));
    }

    #[test]
    fn odd_passwords_are_passed_as_they_are_or_not_at_all() {
        for good in [
            "a@b", "a/b", "a&b", "a$b", "it's", "a:b", "a%b", "a b", "f\u{fc}r",
        ] {
            assert_eq!(passable(good), Ok(()), "{good}");
            assert!(account().input(good).contains(&format!("/\"{good}\"@")));
        }
        let bad = [
            ("a\"b", NotTried::Quote),
            ("a\nb", NotTried::LineBreak),
            ("a\rb", NotTried::LineBreak),
            ("a\0b", NotTried::Nul),
            ("", NotTried::Empty),
        ];
        for (password, reason) in bad {
            assert_eq!(passable(password), Err(reason), "{password:?}");
        }
    }

    #[test]
    fn the_password_is_on_standard_input_alone() {
        let command = account().command("s3cret-word", "/l", 1000);
        assert!(!command.script.contains("s3cret-word"));
        assert!(command.environment.is_empty());
        assert!(command.stdin.unwrap().contains("s3cret-word"));
        assert!(!command.script.contains("$("));
    }

    #[test]
    fn names_that_could_be_commands_are_refused() {
        for (name, alias, run_as) in [
            ("a;b", "t", ""),
            ("a", "t\nx", ""),
            ("a", "t-", ""),
            ("", "t", ""),
            ("a", "t", "o c"),
        ] {
            let account = Account {
                name: name.into(),
                alias: alias.into(),
                run_as: run_as.into(),
                ..account()
            };
            assert!(account.problem().is_some(), "{account:?}");
        }
        assert_eq!(account().problem(), None);
    }

    #[test]
    fn the_ledger_knows_values_by_their_fingerprint() {
        let value = account().fingerprint("one");
        let other = Account {
            name: "twist".into(),
            ..account()
        }
        .fingerprint("one");
        assert_ne!(value, other);
        assert!(!value.contains("one"));
        assert_eq!(remembered("", &value), Remembered::Nothing);
        assert_eq!(
            remembered(&format!("refused {other}\n"), &value),
            Remembered::Nothing
        );
        let trying = format!("trying {value}\n");
        assert_eq!(remembered(&trying, &value), Remembered::Nothing);
        assert_eq!(
            remembered(&trying.repeat(2), &value),
            Remembered::Unfinished
        );
        let both = format!("trying {value}\nrefused {value}\n");
        assert_eq!(remembered(&both, &value), Remembered::Refused);
    }
}
