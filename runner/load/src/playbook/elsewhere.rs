//! Modules that exist, but not here: those of Ansible's collections, and those in Python that a
//! role or playbook brings in `library/`. A name that is in none of these places is a slip.

use std::path::Path;

use super::Around;
use super::action::short;

/// Short names by collection: a line in brackets names the collection of those below it.
const MOVED: &str = include_str!("elsewhere.txt");

/// Words that Ansible itself no longer has, and what to write instead.
const REMOVED: [(&str, &str); 2] = [
    (
        "include",
        "Ansible took it away in 2.16: write `include_tasks`, or `import_tasks` for what is to be read at once",
    ),
    (
        "ec2_facts",
        "Ansible took it away in 2.8: write `amazon.aws.ec2_metadata_facts`",
    ),
];

/// Modules that are left out on purpose, by the last part of their names, and what to write instead.
const LEFT_OUT: [(&str, &str); 1] = [(
    "synchronize",
    "rsync beside sasrun's own connection is not run: write `copy` to send a tree (only what differs is sent), \
     `fetch` to bring files back, or `unarchive` for one large archive",
)];

/// Where a module is that is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// In a collection.
    Collection(String),
    /// In Python, beside the role or playbook.
    Library(String),
    /// Nowhere: there is something else instead.
    LeftOut(&'static str),
}

impl Elsewhere {
    /// One sentence for whoever needs it.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::LeftOut(instead) => (*instead).to_owned(),
            Self::Collection(collection) => format!(
                "it is one of the collection `{collection}`; `sasrun doc` lists the modules there are"
            ),
            Self::Library(path) => {
                format!(
                    "`{path}` is in Python, which sasrun does not run; a plugin can take its place"
                )
            }
        }
    }
}

/// The collection that a short name moved to.
pub(super) fn moved_to(name: &str) -> Option<&'static str> {
    let mut collection = "";
    for line in MOVED.lines() {
        if let Some(named) = line.strip_prefix('[') {
            collection = named.trim_end_matches(']');
        } else if !line.starts_with('#') && line.split(' ').any(|word| word == name) {
            return Some(collection);
        }
    }
    None
}

/// What to write instead of a word that Ansible no longer has.
pub(super) fn removed(name: &str) -> Option<&'static str> {
    let found = REMOVED.iter().find(|(removed, _)| *removed == short(name));
    found.map(|(_, instead)| *instead)
}

/// Finds where a module is that is not here. None when there is none of that name anywhere known.
pub(super) fn find(name: &str, around: &Around, playbook_directory: &Path) -> Option<Elsewhere> {
    let own = short(name);
    let file = format!("{own}.py");
    let role = around.role.as_ref().map(|role| role.path.as_path());
    let library = role
        .into_iter()
        .chain([playbook_directory])
        .map(|folder| folder.join("library").join(&file))
        .find(|path| path.is_file());
    if let Some(path) = library {
        return Some(Elsewhere::Library(path.display().to_string()));
    }
    let plain = own.strip_prefix("ansible.posix.").unwrap_or(own);
    if let Some((_, instead)) = LEFT_OUT.iter().find(|(name, _)| *name == plain) {
        return Some(Elsewhere::LeftOut(instead));
    }
    if let Some(collection) = moved_to(own) {
        return Some(Elsewhere::Collection(collection.to_owned()));
    }
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let parts: Vec<&str> = own.split('.').collect();
    match parts.as_slice() {
        [namespace, collection, _, ..]
            if *namespace != "sasrun" && parts.iter().all(|part| is_name(part)) =>
        {
            Some(Elsewhere::Collection(format!("{namespace}.{collection}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_moved_are_known_with_their_collection() {
        assert_eq!(moved_to("seport"), Some("community.general"));
        assert_eq!(moved_to("seboolean"), Some("ansible.posix"));
        assert_eq!(moved_to("comand"), None);
        assert!(removed("ansible.builtin.include").is_some());
    }
}
