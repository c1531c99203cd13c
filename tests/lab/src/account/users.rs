//! The users and groups of every host.

use std::collections::BTreeMap;
use std::path::Path;

use rand::distr::{Alphanumeric, SampleString};
use serde::{Deserialize, Serialize};
use sha_crypt::{PasswordHasher, ShaCrypt};

/// A user of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub home: String,
    pub shell: String,
}

/// Name, uid, gid, comment, home, shell.
const USERS: [(&str, u32, u32, &str, &str, &str); 9] = [
    ("root", 0, 0, "root", "/root", "/bin/bash"),
    ("daemon", 1, 1, "daemon", "/usr/sbin", "/bin/false"),
    ("bin", 2, 2, "bin", "/bin", "/bin/false"),
    (
        "sshd",
        74,
        74,
        "Privilege-separated SSH",
        "/run/sshd",
        "/bin/false",
    ),
    ("nobody", 65534, 65534, "nobody", "/", "/bin/false"),
    (
        "oracle",
        501,
        501,
        "Oracle owner",
        "/u01/app/oracle",
        "/bin/sh",
    ),
    (
        "twist",
        502,
        502,
        "Web Services Data Access Engine",
        "/var/opt/opsware/twist",
        "/bin/sh",
    ),
    (
        "occ",
        503,
        503,
        "Command Center",
        "/var/opt/opsware/occ",
        "/bin/sh",
    ),
    (
        "operator",
        1000,
        1000,
        "Operator",
        "/home/operator",
        "/bin/sh",
    ),
];

const GROUPS: [(&str, u32, &str); 10] = [
    ("root", 0, ""),
    ("daemon", 1, ""),
    ("bin", 2, ""),
    ("tty", 5, ""),
    ("sshd", 74, ""),
    ("oinstall", 501, "oracle"),
    ("twist", 502, ""),
    ("occ", 503, ""),
    ("operator", 1000, ""),
    ("nogroup", 65534, ""),
];

/// The text of `/etc/passwd`; `shell` exists on the machine and is root's.
pub fn passwd(root_shell: &str) -> String {
    USERS
        .iter()
        .map(|(name, uid, gid, comment, home, shell)| {
            let shell = if *name == "root" { root_shell } else { shell };
            format!("{name}:x:{uid}:{gid}:{comment}:{home}:{shell}\n")
        })
        .collect()
}

/// The text of `/etc/group`.
pub fn group() -> String {
    GROUPS
        .iter()
        .map(|(name, gid, members)| format!("{name}:x:{gid}:{members}\n"))
        .collect()
}

/// The home directories that belong to a user other than root, with the user's ids.
pub fn homes() -> impl Iterator<Item = (&'static str, u32, u32)> {
    USERS
        .iter()
        .filter(|user| user.1 >= 501 && user.1 < 65534)
        .map(|user| (user.4, user.1, user.2))
}

/// Finds a user in the text of a passwd file.
pub fn find(passwd: &str, name: &str) -> Option<User> {
    passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find_map(|fields| match fields[..] {
            [found, _, uid, gid, _, home, shell] if found == name => Some(User {
                name: name.to_owned(),
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
                home: home.to_owned(),
                shell: shell.to_owned(),
            }),
            _ => None,
        })
}

/// Finds a user of the host on which this program runs.
pub fn find_here(name: &str) -> Option<User> {
    find(&std::fs::read_to_string("/etc/passwd").ok()?, name)
}

/// The passwords of a lab's users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passwords(pub BTreeMap<String, String>);

impl Passwords {
    /// Makes up new passwords for root and operator.
    pub fn make() -> Self {
        let make = || Alphanumeric.sample_string(&mut rand::rng(), 14);
        Self(BTreeMap::from([
            ("root".to_owned(), make()),
            ("operator".to_owned(), make()),
        ]))
    }

    /// The text of `/etc/shadow`, for servers that know nothing of the lab.
    pub fn shadow(&self) -> std::io::Result<String> {
        let mut text = String::new();
        for (name, ..) in USERS {
            let hash = match self.0.get(name) {
                Some(password) => {
                    let salt: [u8; 12] = rand::random();
                    let hash = ShaCrypt::SHA512.hash_password_with_salt(password.as_bytes(), &salt);
                    hash.map_err(std::io::Error::other)?.to_string()
                }
                None => "*".to_owned(),
            };
            text += &format!("{name}:{hash}:13879:0:99999:7:::\n");
        }
        Ok(text)
    }

    /// Reads the passwords from a file.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        serde_json::from_slice(&std::fs::read(path)?).map_err(std::io::Error::other)
    }

    /// Tells whether this is the password of the user.
    pub fn fit(&self, user: &str, password: &str) -> bool {
        self.0.get(user).is_some_and(|right| right == password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_as_the_passwd_file_says() {
        let text = passwd("/bin/bash");
        let oracle = find(&text, "oracle").unwrap();
        assert_eq!((oracle.uid, oracle.home.as_str()), (501, "/u01/app/oracle"));
        assert_eq!(find(&text, "root").unwrap().shell, "/bin/bash");
        assert_eq!(find(&text, "orac"), None);
    }

    #[test]
    fn the_shadow_file_has_a_hash_for_those_with_a_password_only() {
        use sha_crypt::PasswordVerifier;
        let passwords = Passwords(BTreeMap::from([("root".to_owned(), "right".to_owned())]));
        let shadow = passwords.shadow().unwrap();
        let root = shadow
            .lines()
            .find_map(|line| line.strip_prefix("root:")?.split(':').next())
            .unwrap();
        let hash = sha_crypt::PasswordHash::new(root).unwrap();
        assert!(ShaCrypt::SHA512.verify_password(b"right", &hash).is_ok());
        assert!(ShaCrypt::SHA512.verify_password(b"wrong", &hash).is_err());
        assert!(shadow.contains("oracle:*:"));
        assert!(!shadow.contains("right"));
    }

    #[test]
    fn only_the_right_password_of_the_right_user_fits() {
        let passwords = Passwords(BTreeMap::from([("root".to_owned(), "a".to_owned())]));
        assert!(passwords.fit("root", "a"));
        assert!(!passwords.fit("root", ""));
        assert!(!passwords.fit("operator", "a"));
    }
}
