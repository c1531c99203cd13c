//! What SQL*Plus understands of its input: commands, statements, and the credentials of a connect.
//!
//! Pure reading; carrying out lives beside it.

/// One command or statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Connect(Credentials),
    /// A connect whose text makes no sense.
    BadConnect,
    Set(String),
    /// `whenever sqlerror exit …`; true when it exits with the error's code.
    WheneverSqlError {
        exits_with_code: bool,
        status: Option<u8>,
    },
    Prompt(String),
    Exit(Option<u8>),
    /// A select without its end.
    Select(String),
    /// A command without effect here.
    Ignored,
    NotUnderstood(String),
}

/// Who wants to log on where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Empty for an operating system logon.
    pub user: String,
    pub password: String,
    /// Empty for the local database.
    pub database: String,
}

impl Credentials {
    /// Reads `user/"password"@database`, also without quotes or database.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let lower = text.to_lowercase();
        if let Some(rest) = lower.strip_prefix('/') {
            return (rest.trim().is_empty() || rest.trim() == "as sysdba").then(Self::default);
        }
        let (user, rest) = text.split_once('/')?;
        let (password, database) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (password, rest) = quoted.split_once('"')?;
                match rest.strip_prefix('@') {
                    Some(database) => (password, database),
                    None if rest.is_empty() => (password, ""),
                    None => return None,
                }
            }
            None => rest.split_once('@').unwrap_or((rest, "")),
        };
        let is_plain = |word: &str| !word.contains(char::is_whitespace) && !word.contains('"');
        (is_plain(user) && is_plain(database) && !user.is_empty()).then(|| Self {
            user: user.to_lowercase(),
            password: password.to_owned(),
            database: database.to_owned(),
        })
    }
}

/// Reads the step that begins with this line; the rest of a statement is taken from `more`.
pub fn step(line: &str, more: &mut dyn FnMut() -> Option<String>) -> Step {
    let trimmed = line.trim();
    let mut words = trimmed.split_whitespace();
    let first = words
        .next()
        .unwrap_or_default()
        .trim_end_matches(';')
        .to_lowercase();
    let rest = trimmed.get(first.len()..).unwrap_or_default().trim();
    match first.as_str() {
        "" => Step::Ignored,
        "rem" | "remark" | "column" | "col" | "define" | "undefine" | "ttitle" | "alter"
        | "spool" => Step::Ignored,
        comment if comment.starts_with("--") => Step::Ignored,
        "connect" | "conn" => Credentials::parse(rest).map_or(Step::BadConnect, Step::Connect),
        "set" => Step::Set(rest.trim_end_matches(';').to_lowercase()),
        "whenever" => whenever(&rest.trim_end_matches(';').to_lowercase()),
        "prompt" => Step::Prompt(rest.to_owned()),
        "exit" | "quit" => Step::Exit(status(rest.trim_end_matches(';'))),
        "select" => Step::Select(statement(trimmed, more)),
        _ => {
            let first_word = statement(trimmed, more);
            Step::NotUnderstood(first_word)
        }
    }
}

fn status(text: &str) -> Option<u8> {
    match text.trim().to_lowercase().as_str() {
        "failure" => Some(1),
        "warning" => Some(2),
        "success" => Some(0),
        number => number.parse().ok(),
    }
}

fn whenever(text: &str) -> Step {
    let Some(rest) = text.strip_prefix("sqlerror") else {
        return Step::Ignored;
    };
    let Some(rest) = rest.trim().strip_prefix("exit") else {
        return Step::Ignored;
    };
    Step::WheneverSqlError {
        exits_with_code: rest.contains("sql.sqlcode"),
        status: status(rest),
    }
}

/// A whole statement: up to a semicolon at a line's end, or a line that is a slash.
fn statement(first: &str, more: &mut dyn FnMut() -> Option<String>) -> String {
    let mut text = first.to_owned();
    while !text.trim_end().ends_with(';') {
        match more() {
            Some(line) if line.trim() == "/" => break,
            Some(line) => {
                text.push(' ');
                text.push_str(line.trim());
            }
            None => break,
        }
    }
    text.trim_end().trim_end_matches(';').trim_end().to_owned()
}

/// The text of a select of literals from dual, such as `'A-'||'B'`; none for anything else.
pub fn literal(select: &str) -> Option<String> {
    let lower = select.to_lowercase();
    let end = lower.rfind(" from dual").filter(|end| {
        lower
            .get(end + 10..)
            .is_some_and(|rest| rest.trim().is_empty())
    })?;
    let expression = select.get(6..end)?.trim();
    let mut value = String::new();
    for part in expression.split("||") {
        let part = part.trim();
        match part
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''))
        {
            Some(text) if !text.contains('\'') => value.push_str(text),
            _ if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) => {
                value.push_str(part)
            }
            _ => return None,
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(user: &str, password: &str, database: &str) -> Option<Credentials> {
        Some(Credentials {
            user: user.into(),
            password: password.into(),
            database: database.into(),
        })
    }

    #[test]
    fn credentials_are_read_with_and_without_quotes() {
        let table = [
            (
                "spin/\"p@ss w/rd\"@a_truth",
                credentials("spin", "p@ss w/rd", "a_truth"),
            ),
            ("SPIN/pw@a_truth;", credentials("spin", "pw", "a_truth")),
            ("spin/pw", credentials("spin", "pw", "")),
            ("/ as sysdba", credentials("", "", "")),
            ("spin/\"a\"b\"@x", None),
            ("spin", None),
            ("/ as king", None),
        ];
        for (text, wanted) in table {
            assert_eq!(Credentials::parse(text), wanted, "{text}");
        }
    }

    #[test]
    fn steps_are_told_apart() {
        let mut none = || None;
        let table = [
            ("set define off", Step::Set("define off".into())),
            (
                "WHENEVER SQLERROR EXIT SQL.SQLCODE",
                Step::WheneverSqlError {
                    exits_with_code: true,
                    status: None,
                },
            ),
            ("whenever oserror exit 9", Step::Ignored),
            ("-- note", Step::Ignored),
            ("exit;", Step::Exit(None)),
            ("exit failure", Step::Exit(Some(1))),
            (
                "select 1 from dual;",
                Step::Select("select 1 from dual".into()),
            ),
            ("connect nonsense", Step::BadConnect),
            ("drop table x;", Step::NotUnderstood("drop table x".into())),
        ];
        for (line, wanted) in table {
            assert_eq!(step(line, &mut none), wanted, "{line}");
        }
        let mut rest = vec!["from dual".to_owned(), "/".to_owned()].into_iter();
        assert_eq!(
            step("select 'x'", &mut || rest.next()),
            Step::Select("select 'x' from dual".into())
        );
    }

    #[test]
    fn literals_are_joined() {
        assert_eq!(
            literal("select 'SASRUN-'||'LOGIN-OK' from dual").as_deref(),
            Some("SASRUN-LOGIN-OK")
        );
        assert_eq!(literal("SELECT 1 FROM DUAL").as_deref(), Some("1"));
        assert_eq!(literal("select x from dual"), None);
        assert_eq!(literal("select 'a' from lcrep.transactions"), None);
    }
}
