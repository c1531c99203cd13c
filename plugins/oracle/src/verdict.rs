//! What SQL*Plus's words mean. The code in the text decides, never the exit status: that is 0 by
//! default, and at best the code modulo 256, where ORA-01017 (wrong password) and ORA-12537
//! (connection closed) are both 249.

/// What is known of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Match,
    Mismatch,
    Indeterminate,
    NotChecked,
}

impl Verdict {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Mismatch => "mismatch",
            Self::Indeterminate => "indeterminate",
            Self::NotChecked => "not_checked",
        }
    }
}

/// Whether an account may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expects {
    Session,
    NoSession,
}

/// What one code means.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) code: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) verdict: Verdict,
    /// Finding for an account that may log in, and for one that may not.
    findings: [&'static str; 2],
    /// Whether the database did not get as far as the account, so that others need not be tried.
    pub(crate) unreachable: bool,
    pub(crate) advice: &'static str,
}

/// A conclusion from the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) finding: &'static str,
    pub(crate) code: &'static str,
    pub(crate) reason: String,
    pub(crate) advice: &'static str,
    pub(crate) unreachable: bool,
}

impl Judgement {
    /// A conclusion without a code.
    pub(crate) fn of(
        verdict: Verdict,
        finding: &'static str,
        reason: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        Self {
            verdict,
            finding,
            code: "",
            reason: reason.into(),
            advice,
            unreachable: false,
        }
    }

    /// For an attempt whose end nobody saw.
    pub(crate) fn broken_off() -> Self {
        Self::of(
            Verdict::Indeterminate,
            "attempt_broken_off",
            "the attempt was broken off before its end was known",
            "it may have counted against the account; look before trying again",
        )
    }
}

/// What a logon prints when it came through. It is put together in SQL, so that echoed input
/// cannot be taken for it.
pub(crate) const SUCCESS: &str = "SASRUN-LOGIN-OK";

const LATER: &str = "make the database reachable, then check again";
const NAMES: &str = "check truth.servicename, truth.tnsdir and tnsnames.ora";
const HOME: &str = "check truth.orahome";

const fn answered(
    code: &'static str,
    meaning: &'static str,
    verdict: Verdict,
    findings: [&'static str; 2],
    advice: &'static str,
) -> Rule {
    Rule {
        code,
        meaning,
        verdict,
        findings,
        unreachable: false,
        advice,
    }
}

const fn unreachable(code: &'static str, meaning: &'static str, advice: &'static str) -> Rule {
    Rule {
        code,
        meaning,
        verdict: Verdict::Indeterminate,
        findings: ["", ""],
        unreachable: true,
        advice,
    }
}

const fn unclear(code: &'static str, meaning: &'static str, advice: &'static str) -> Rule {
    answered(code, meaning, Verdict::Indeterminate, ["", ""], advice)
}

/// The table; of the codes in a text the first in this order decides.
pub(crate) const RULES: &[Rule] = &[
    answered(
        "ORA-01045",
        "the password was accepted, the account lacks CREATE SESSION",
        Verdict::Match,
        ["create_session_missing", ""],
        "",
    ),
    answered(
        "ORA-01017",
        "the database refused the pair of user and password",
        Verdict::Mismatch,
        ["", ""],
        "correct the value in the response file; it is not tried again until it changes",
    ),
    answered(
        "ORA-28000",
        "the account is locked",
        Verdict::Indeterminate,
        ["account_locked", "account_locked"],
        "a database administrator must unlock the account; do not go on trying",
    ),
    answered(
        "ORA-28001",
        "the password was accepted but has expired",
        Verdict::Match,
        ["password_expired", "password_expired"],
        "have the database administrator renew the password",
    ),
    answered(
        "ORA-28002",
        "logged in; the password will expire soon",
        Verdict::Match,
        ["password_expiring", "password_expiring"],
        "have the database administrator renew the password",
    ),
    unreachable("ORA-12541", "no listener answers", LATER),
    unreachable(
        "ORA-12154",
        "the connect name is not in tnsnames.ora",
        NAMES,
    ),
    unreachable(
        "ORA-12514",
        "the listener does not know the service yet",
        LATER,
    ),
    unreachable("ORA-12505", "the listener does not know the SID", NAMES),
    unreachable("ORA-12528", "the listener blocks new connections", LATER),
    unreachable("ORA-12170", "the connection timed out", LATER),
    unreachable("ORA-12535", "the connection timed out", LATER),
    unreachable("ORA-12537", "the connection was closed", LATER),
    unreachable(
        "ORA-12545",
        "the database's host is unknown or unreachable",
        NAMES,
    ),
    unreachable("ORA-12547", "the connection was lost", LATER),
    unreachable("ORA-12560", "the protocol adapter failed", NAMES),
    unreachable("ORA-01033", "the instance is starting or stopping", LATER),
    unreachable("ORA-01034", "the instance is not available", LATER),
    unreachable("ORA-27101", "there is no instance of that name", LATER),
    unreachable("ORA-03113", "the connection broke off", LATER),
    unreachable("ORA-03135", "the connection was lost", LATER),
    unreachable("SP2-0750", "ORACLE_HOME is not set or wrong", HOME),
    unreachable("SP2-0667", "SQL*Plus does not find its messages", HOME),
    unclear(
        "SP2-0306",
        "SQL*Plus did not understand the logon",
        "report this as a defect",
    ),
    unclear("SP2-0751", "SQL*Plus gave up connecting", LATER),
    unclear(
        "SP2-0157",
        "SQL*Plus tried more than once",
        "report this as a defect",
    ),
    unclear("SP2-0640", "SQL*Plus was not connected", LATER),
];

/// Concludes from what SQL*Plus printed.
pub(crate) fn judge(text: &str, expects: Expects) -> Judgement {
    let said = |code: &str| contains_code(text, code);
    let found = RULES.iter().find(|rule| said(rule.code));
    match found {
        Some(rule) if rule.code.starts_with("ORA-") || !text.contains(SUCCESS) => {
            let finding = match expects {
                Expects::Session => rule.findings[0],
                Expects::NoSession => rule.findings[1],
            };
            Judgement {
                verdict: rule.verdict,
                finding,
                code: rule.code,
                reason: rule.meaning.to_owned(),
                advice: rule.advice,
                unreachable: rule.unreachable,
            }
        }
        _ if text.contains(SUCCESS) => logged_in(expects),
        _ => Judgement::of(
            Verdict::Indeterminate,
            "unknown_output",
            "SQL*Plus printed neither a known code nor the sign of a logon",
            "run SQL*Plus by hand as the oracle user and look",
        ),
    }
}

fn logged_in(expects: Expects) -> Judgement {
    let (finding, advice) = match expects {
        Expects::Session => ("", ""),
        Expects::NoSession => (
            "unexpected_create_session",
            "the account may log in although it should not; ask the database administrator",
        ),
    };
    Judgement::of(Verdict::Match, finding, "logged in", advice)
}

fn contains_code(text: &str, code: &str) -> bool {
    text.match_indices(code).any(|(at, _)| {
        let after = text.get(at + code.len()..).unwrap_or_default();
        !after.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::Expects::{NoSession, Session};
    use super::Verdict::{Indeterminate, Match, Mismatch};
    use super::*;

    /// Scenario, what SQL*Plus printed, account, verdict, finding.
    const CASES: &[(&str, &str, Expects, Verdict, &str)] = &[
        ("logged in", "\nSASRUN-LOGIN-OK\n", Session, Match, ""),
        (
            "S-29",
            "ERROR:\nORA-01017: invalid username/password; logon denied\n\n\nSP2-0640: Not connected\n",
            Session,
            Mismatch,
            "",
        ),
        (
            "S-30",
            "ERROR:\nORA-01045: user GCADMIN lacks CREATE SESSION privilege; logon denied\nSP2-0640: Not connected\n",
            NoSession,
            Match,
            "",
        ),
        (
            "S-31",
            "SASRUN-LOGIN-OK\n",
            NoSession,
            Match,
            "unexpected_create_session",
        ),
        (
            "S-32",
            "ORA-01045: user SPIN lacks CREATE SESSION privilege; logon denied",
            Session,
            Match,
            "create_session_missing",
        ),
        (
            "S-33",
            "ERROR:\nORA-12541: TNS:no listener\nSP2-0640: Not connected\n",
            Session,
            Indeterminate,
            "",
        ),
        (
            "S-34",
            "ERROR:\nORA-12537: TNS:connection closed\n",
            Session,
            Indeterminate,
            "",
        ),
        (
            "S-35",
            "ERROR:\nORA-01017: invalid username/password; logon denied\n",
            Session,
            Mismatch,
            "",
        ),
        (
            "S-36",
            "ERROR:\nORA-28000: the account is locked\n",
            Session,
            Indeterminate,
            "account_locked",
        ),
        (
            "S-37",
            "ERROR:\nORA-28001: the password has expired\n\n\nChanging password for twist\nNew password: Retype new password: ERROR:\nPasswords do not match\n",
            Session,
            Match,
            "password_expired",
        ),
        (
            "grace",
            "ERROR:\nORA-28002: the password will expire within 3 days\n\nSASRUN-LOGIN-OK\n",
            Session,
            Match,
            "password_expiring",
        ),
        (
            "S-39",
            "ORA-01017: invalid username/password; logon denied",
            NoSession,
            Mismatch,
            "",
        ),
        (
            "instance down",
            "ERROR:\nORA-01034: ORACLE not available\nORA-27101: shared memory realm does not exist\n",
            Session,
            Indeterminate,
            "",
        ),
        (
            "wrong home",
            "Error 6 initializing SQL*Plus\nSP2-0667: Message file sp1<lang>.msb not found\nSP2-0750: You may need to set ORACLE_HOME\n",
            Session,
            Indeterminate,
            "",
        ),
        ("silence", "", Session, Indeterminate, "unknown_output"),
        (
            "echo is no logon",
            "select 'SASRUN-'||'LOGIN-OK' from dual;",
            Session,
            Indeterminate,
            "unknown_output",
        ),
        (
            "a longer number",
            "ORA-010170: something else",
            Session,
            Indeterminate,
            "unknown_output",
        ),
        (
            "unknown code",
            "ORA-00600: internal error code",
            Session,
            Indeterminate,
            "unknown_output",
        ),
    ];

    #[test]
    fn the_code_in_the_text_decides() {
        for (name, text, expects, verdict, finding) in CASES {
            let judgement = judge(text, *expects);
            assert_eq!(judgement.verdict, *verdict, "{name}");
            assert_eq!(judgement.finding, *finding, "{name}");
        }
    }

    #[test]
    fn only_a_refused_pair_is_a_mismatch() {
        for rule in RULES {
            let text = format!("ERROR:\n{}: text\nSP2-0640: Not connected\n", rule.code);
            let verdict = judge(&text, Session).verdict;
            assert_eq!(
                verdict == Mismatch,
                rule.code == "ORA-01017",
                "{}",
                rule.code
            );
            if rule.unreachable {
                assert_eq!(verdict, Indeterminate, "{}", rule.code);
                let words = format!("{} {}", rule.meaning, rule.advice);
                assert!(!words.contains("wrong password"), "{words}");
            }
        }
    }
}
