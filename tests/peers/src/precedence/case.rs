//! One case: a host with its groups, a play and a role, and who defines which variable.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::site::{LEVELS, SITES, Site, of_level};

/// Facts that both programs gather alike.
pub(super) const FACTS: &[&str] = &[
    "ansible_system",
    "ansible_kernel",
    "ansible_machine",
    "ansible_architecture",
    "ansible_nodename",
    "ansible_userspace_bits",
    "ansible_os_family",
    "ansible_distribution",
    "ansible_pkg_mgr",
    "ansible_hostname",
];
/// The variable that a value of the command line stands for.
pub(super) const USER: &str = "ansible_user";
/// Variables of a case that two levels contest, and those that many do.
const PAIR_VARIABLES: usize = 8;
const CROWDED_VARIABLES: usize = 4;

/// Who defines what, in one case.
#[derive(Debug)]
pub(super) struct Case {
    pub number: usize,
    pub defined: BTreeMap<String, BTreeSet<Site>>,
    pub gathers_facts: bool,
    /// Whether the first of two sibling groups is the stronger one.
    pub has_priority: bool,
}

impl Case {
    /// A case; `facts` are those that nothing shared defines.
    pub(super) fn generate(
        dice: &mut StdRng,
        number: usize,
        facts: &[&str],
        user_is_free: bool,
    ) -> Self {
        let mut case = Self {
            number,
            defined: BTreeMap::new(),
            gathers_facts: number.is_multiple_of(2),
            has_priority: dice.random_bool(0.3),
        };
        let mut next = 0;
        for pair in pairs_of(number) {
            case.contest(dice, pair, &mut next);
        }
        for _ in 0..CROWDED_VARIABLES {
            let count = dice.random_range(3..9);
            let sites: Vec<Site> = SITES
                .iter()
                .copied()
                .filter(|site| site.is_written())
                .collect();
            let chosen = sites.choose_multiple(dice, count).copied().collect();
            case.define(case.name(next), chosen);
            next += 1;
        }
        case.contest_with_program(dice, facts, user_is_free);
        case
    }

    fn name(&self, index: usize) -> String {
        format!("v{}_{index}", self.number)
    }

    fn define(&mut self, name: String, mut sites: BTreeSet<Site>) {
        // Two ways to the same level would only tell which task comes last.
        if sites.contains(&Site::SetFact) {
            sites.remove(&Site::Register);
        }
        self.defined.insert(name, sites);
    }

    /// A variable that two levels define.
    fn contest(&mut self, dice: &mut StdRng, (low, high): (u8, u8), next: &mut usize) {
        let mut sites = BTreeSet::new();
        for level in [low, high] {
            sites.extend(of_level(level).choose(dice).copied());
        }
        if sites.iter().all(|site| site.is_written()) {
            self.define(self.name(*next), sites);
            *next += 1;
        }
    }

    /// Facts and the user of the connection, against one of the case's own levels each.
    fn contest_with_program(&mut self, dice: &mut StdRng, facts: &[&str], user_is_free: bool) {
        let mut sites: Vec<Site> = SITES
            .iter()
            .copied()
            .filter(|site| site.is_written() && !site.is_shared())
            .collect();
        // By turns, so that the user is contested from everywhere.
        let of_user = sites.get(self.number % sites.len().max(1)).copied();
        sites.shuffle(dice);
        let mut sites = sites.into_iter();
        if self.gathers_facts {
            for name in facts {
                if let Some(site) = sites.next() {
                    self.define((*name).to_owned(), BTreeSet::from([site]));
                }
            }
        }
        if user_is_free && let Some(site) = of_user {
            self.define(USER.to_owned(), BTreeSet::from([site]));
        }
    }

    /// Variables that a place of this case defines.
    pub(super) fn at(&self, site: Site) -> serde_json::Map<String, serde_json::Value> {
        let defined = self.defined.iter();
        defined
            .filter(|(_, sites)| sites.contains(&site))
            .map(|(name, _)| (name.clone(), site.value().into()))
            .collect()
    }
}

/// The pairs of levels that a case is there for: all of them come round every thirty cases.
fn pairs_of(number: usize) -> Vec<(u8, u8)> {
    let all: Vec<(u8, u8)> = (2..=LEVELS)
        .filter(|level| *level != 11)
        .flat_map(|low| (low + 1..=LEVELS).map(move |high| (low, high)))
        .filter(|(_, high)| *high != 11)
        .collect();
    let first = number * PAIR_VARIABLES;
    (first..first + PAIR_VARIABLES)
        .filter_map(|index| all.get(index % all.len()).copied())
        .collect()
}
