//! Whom a command runs as: the login user, or another one through sudo or su.
//!
//! Must not: start anything; `become` does.

use std::fmt;

use crate::Secret;

/// Whom a command runs as; the key of the pool of kept shells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Identity {
    /// The user that logged in.
    #[default]
    Login,
    /// Another user.
    Become(Become),
}

/// How to become another user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Become {
    /// The program that changes the user.
    pub method: BecomeMethod,
    /// The user to become.
    pub user: String,
    /// Flags for the program, shell-quoted; `None` for the method's own.
    pub flags: Option<String>,
    /// The password the program may ask for.
    pub password: Option<Secret>,
    /// Path of the program where it is not found under its name.
    pub exe: Option<String>,
}

impl Become {
    /// Describes `sudo -u USER`.
    pub fn sudo(user: impl Into<String>, password: Option<Secret>) -> Self {
        Self {
            method: BecomeMethod::Sudo,
            user: user.into(),
            flags: None,
            password,
            exe: None,
        }
    }

    /// Describes `su USER`.
    pub fn su(user: impl Into<String>, password: Option<Secret>) -> Self {
        Self {
            method: BecomeMethod::Su,
            ..Self::sudo(user, password)
        }
    }
}

/// A program that changes the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BecomeMethod {
    /// `sudo`
    Sudo,
    /// `su`
    Su,
}

impl fmt::Display for BecomeMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
        })
    }
}
