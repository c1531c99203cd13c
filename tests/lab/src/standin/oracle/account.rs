//! Accounts of a database and what a logon does to them.
//!
//! Pure: counting and judging; where the counters are kept is the caller's business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::standin::fault::AccountFaults;
use crate::standin::response::parameters::{self, ACCOUNTS};
use crate::world::{Core, World};

/// Failures in a row after which an account is locked.
pub const LOCK_AFTER: u32 = 10;

/// What an account has been set up as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub password: String,
    pub has_create_session: bool,
    pub is_locked: bool,
    pub is_expired: bool,
    /// Failures that it had when the lab came up.
    pub first_failures: u32,
}

/// What logons have made of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Failures in a row; unset before the first logon.
    pub failures: Option<u32>,
    pub is_locked: bool,
    /// A password that was set at an expiry prompt.
    pub new_password: Option<String>,
}

/// Records of all accounts of a database.
pub type Records = BTreeMap<String, Record>;

/// An answer of the database that is not a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OraError {
    pub code: u32,
    pub text: &'static str,
}

impl std::fmt::Display for OraError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "ORA-{:05}: {}", self.code, self.text)
    }
}

const fn error(code: u32, text: &'static str) -> OraError {
    OraError { code, text }
}

pub const INVALID: OraError = error(1017, "invalid username/password; logon denied");
pub const NO_SESSION: OraError = error(1045, "user lacks CREATE SESSION privilege; logon denied");
pub const LOCKED: OraError = error(28000, "the account is locked");
pub const EXPIRED: OraError = error(28001, "the password has expired");
pub const NOT_RESOLVED: OraError = error(
    12154,
    "TNS:could not resolve the connect identifier specified",
);
pub const NO_HOST: OraError = error(
    12545,
    "Connect failed because target host or object does not exist",
);
pub const NO_LISTENER: OraError = error(12541, "TNS:no listener");
pub const CLOSED: OraError = error(12537, "TNS:connection closed");
pub const TIMEOUT: OraError = error(12170, "TNS:Connect timeout occurred");
pub const UNKNOWN_SERVICE: OraError = error(
    12514,
    "TNS:listener does not currently know of service requested in connect descriptor",
);
pub const BLOCKED: OraError = error(
    12528,
    "TNS:listener: all appropriate instances are blocking new connections",
);
pub const NOT_AVAILABLE: OraError = error(1034, "ORACLE not available");
pub const NO_TABLE: OraError = error(942, "table or view does not exist");
pub const NO_PRIVILEGE: OraError = error(1031, "insufficient privileges");
pub const BAD_STATEMENT: OraError = error(900, "invalid SQL statement");

/// The accounts of a core's database, with the scenario's changes.
pub fn accounts(
    world: &World,
    core: &Core,
    staged: &BTreeMap<String, AccountFaults>,
) -> BTreeMap<String, Account> {
    ACCOUNTS
        .iter()
        .map(|(name, parameter, may_log_in)| {
            let faults = staged.get(*name).cloned().unwrap_or_default();
            let account = Account {
                password: faults
                    .password
                    .unwrap_or_else(|| parameters::secret_value(world, core, parameter)),
                has_create_session: faults.create_session.unwrap_or(*may_log_in),
                is_locked: faults.locked,
                is_expired: faults.expired,
                first_failures: faults.failures,
            };
            ((*name).to_owned(), account)
        })
        .collect()
}

/// Judges one logon and counts it.
pub fn logon(
    account: Option<&Account>,
    record: &mut Record,
    password: &str,
) -> Result<(), OraError> {
    let Some(account) = account else {
        return Err(INVALID);
    };
    if account.is_locked || record.is_locked {
        return Err(LOCKED);
    }
    let right = record.new_password.as_deref().unwrap_or(&account.password);
    if password != right {
        let failures = record.failures.unwrap_or(account.first_failures) + 1;
        record.failures = Some(failures);
        record.is_locked = failures >= LOCK_AFTER;
        return Err(INVALID);
    }
    if account.is_expired && record.new_password.is_none() {
        return Err(EXPIRED);
    }
    if !account.has_create_session {
        return Err(NO_SESSION);
    }
    record.failures = Some(0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            password: "right".into(),
            has_create_session: true,
            is_locked: false,
            is_expired: false,
            first_failures: 0,
        }
    }

    #[test]
    fn a_logon_is_judged_by_account_and_password() {
        let table = [
            (Some(account()), "right", Ok(())),
            (Some(account()), "Right", Err(INVALID)),
            (None, "right", Err(INVALID)),
            (
                Some(Account {
                    has_create_session: false,
                    ..account()
                }),
                "right",
                Err(NO_SESSION),
            ),
            (
                Some(Account {
                    has_create_session: false,
                    ..account()
                }),
                "wrong",
                Err(INVALID),
            ),
            (
                Some(Account {
                    is_locked: true,
                    ..account()
                }),
                "right",
                Err(LOCKED),
            ),
            (
                Some(Account {
                    is_expired: true,
                    ..account()
                }),
                "right",
                Err(EXPIRED),
            ),
            (
                Some(Account {
                    is_expired: true,
                    ..account()
                }),
                "wrong",
                Err(INVALID),
            ),
        ];
        for (account, password, wanted) in table {
            assert_eq!(
                logon(account.as_ref(), &mut Record::default(), password),
                wanted,
                "{account:?}"
            );
        }
    }

    #[test]
    fn the_tenth_failure_locks_and_a_success_sets_the_count_back() {
        let nine = Account {
            first_failures: 9,
            ..account()
        };
        let mut record = Record::default();
        assert_eq!(logon(Some(&nine), &mut record, "wrong"), Err(INVALID));
        assert_eq!(logon(Some(&nine), &mut record, "right"), Err(LOCKED));
        let mut record = Record::default();
        assert_eq!(logon(Some(&nine), &mut record, "right"), Ok(()));
        assert_eq!(record.failures, Some(0));
    }

    #[test]
    fn errors_read_as_the_database_prints_them() {
        assert_eq!(
            INVALID.to_string(),
            "ORA-01017: invalid username/password; logon denied"
        );
        assert_eq!(NOT_AVAILABLE.to_string(), "ORA-01034: ORACLE not available");
    }
}
