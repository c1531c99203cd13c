//! Users of servers, as the file `.netrc` lists them.

use std::path::PathBuf;

/// A user of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// The text of the file that `NETRC` names, else of that in the home. None where it cannot be read.
pub(super) fn read() -> Option<String> {
    let named = std::env::var_os("NETRC").map(PathBuf::from);
    let path = named.or_else(|| Some(std::env::home_dir()?.join(".netrc")))?;
    std::fs::read_to_string(path).ok()
}

/// Who we are for a server: what is listed for it, else the default. Without a user or a password
/// it is nobody.
pub(super) fn login(text: &str, server: &str) -> Option<Login> {
    let (mut of_server, mut by_default) = (None, None);
    let mut place: Option<&mut Option<Login>> = None;
    let mut words = words(text).into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" => {
                let is_ours = words.next().is_some_and(|name| name == server);
                place = (is_ours && of_server.is_none()).then_some(&mut of_server);
            }
            "default" => place = Some(&mut by_default),
            "login" | "user" | "password" | "account" => {
                let (Some(value), Some(place)) = (words.next(), place.as_deref_mut()) else {
                    continue;
                };
                let login = place.get_or_insert_with(|| Login {
                    user: String::new(),
                    password: String::new(),
                });
                match word.as_str() {
                    "password" => login.password = value,
                    "account" => {}
                    _ => login.user = value,
                }
            }
            _ => {}
        }
    }
    of_server
        .or(by_default)
        .filter(|login| !login.user.is_empty() && !login.password.is_empty())
}

/// Words of the file, quotes and comments taken away; a macro goes on until an empty line.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut is_macro = false;
    for line in text.lines() {
        if is_macro {
            is_macro = !line.trim().is_empty();
            continue;
        }
        for word in line.split_whitespace() {
            match word {
                "macdef" => {
                    is_macro = true;
                    break;
                }
                // A `#` may begin a password.
                word if word.starts_with('#')
                    && !matches!(
                        words.last().map(String::as_str),
                        Some("password" | "login" | "user" | "account")
                    ) =>
                {
                    break;
                }
                word => words.push(word.trim_matches('"').to_owned()),
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::login;

    #[test]
    fn the_user_of_a_server_is_found() {
        let text = "# mine\nmachine a.tests login me password x # old\nmacdef init\nmachine b.tests login no password no\n\n\
                    machine b.tests\nlogin you\npassword \"#y\"\ndefault login any password z\n";
        let found = |server| login(text, server).map(|login| (login.user, login.password));
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(found("a.tests"), pair("me", "x"));
        assert_eq!(found("b.tests"), pair("you", "#y"));
        assert_eq!(found("c.tests"), pair("any", "z"));
        assert_eq!(login("machine a login me", "a"), None);
        assert_eq!(login("password", "a"), None);
    }
}
