//! Cases that share an inventory, a playbook and a process.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;

use super::case::{Case, FACTS, USER};
use super::site::Site;

/// The shared place that defines a fact or the user, by turns.
const TURNS: &[Option<Site>] = &[
    None,
    Some(Site::InventoryFolderAll),
    Some(Site::PlaybookFolderAll),
    Some(Site::Extra),
    None,
    Some(Site::InventoryAll),
];

/// Cases with what is common to them.
pub(super) struct Batch {
    pub cases: Vec<Case>,
    /// Facts and the user, where a shared place defines them.
    pub shared: BTreeMap<String, Site>,
    /// Whether the inventory is YAML rather than INI.
    pub is_yaml: bool,
}

impl Batch {
    pub(super) fn generate(dice: &mut StdRng, index: usize, first: usize, count: usize) -> Self {
        let turn = |offset: usize| TURNS.get((index + offset) % TURNS.len()).copied().flatten();
        let mut shared = BTreeMap::new();
        let mut free = Vec::new();
        for (offset, name) in FACTS.iter().enumerate() {
            match turn(offset) {
                Some(site) => drop(shared.insert((*name).to_owned(), site)),
                None => free.push(*name),
            }
        }
        let user = turn(0);
        shared.extend(user.map(|site| (USER.to_owned(), site)));
        let cases = (first..first + count)
            .map(|number| Case::generate(dice, number, &free, user.is_none()))
            .collect();
        Self {
            cases,
            shared,
            is_yaml: index % 2 == 1,
        }
    }

    /// Every place that defines a variable of a case.
    pub(super) fn definitions(&self, case: &Case, name: &str) -> BTreeSet<Site> {
        let mut sites = case.defined.get(name).cloned().unwrap_or_default();
        sites.extend(self.shared.get(name));
        if name == USER {
            sites.insert(Site::CommandLine);
        }
        if case.gathers_facts && FACTS.contains(&name) {
            sites.insert(Site::Facts);
        }
        sites
    }

    /// Variables that a case looks at.
    pub(super) fn looked_at(&self, case: &Case) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = case.defined.keys().cloned().collect();
        names.insert(USER.to_owned());
        names.extend(self.shared.keys().cloned());
        names
    }

    /// Variables that a shared place defines, those of the cases with them.
    pub(super) fn at(&self, site: Site) -> serde_json::Map<String, serde_json::Value> {
        let mut found: serde_json::Map<String, serde_json::Value> = self
            .shared
            .iter()
            .filter(|(_, shared)| **shared == site)
            .map(|(name, _)| (name.clone(), site.value().into()))
            .collect();
        for case in &self.cases {
            found.extend(case.at(site));
        }
        found
    }

    /// What both programs are called with.
    pub(super) fn arguments(&self) -> [&'static str; 7] {
        let inventory = if self.is_yaml {
            "inventory/hosts.yml"
        } else {
            "inventory/hosts.ini"
        };
        [
            "-i",
            inventory,
            "-u",
            "CommandLine",
            "-e",
            "@extra.json",
            "play/site.yml",
        ]
    }
}
