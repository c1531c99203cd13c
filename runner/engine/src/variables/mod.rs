//! Variables: where they live, in which order they win, and how a task sees them.

mod layers;
mod level;
mod magic;
mod merged;
mod scope;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use indexmap::IndexMap;
use sasrun_model::{Inventory, Map, Name, Value, Variables};

pub(crate) use layers::Layers;
pub(crate) use level::{Included, Level, LevelKind, Overlay, Turn};
pub use magic::NAMES as MAGIC_NAMES;
pub(crate) use magic::{PlayFacts, absolute};
pub(crate) use scope::{PlayVariables, ScopeParts, TaskScope};

/// Variables made while the run goes on: text keys, finished values.
pub(crate) type Made = IndexMap<Name, Value>;

/// State of the run that scopes look into. Written by the engine's thread alone.
pub(crate) struct Shared {
    inventory: RwLock<Arc<Inventory>>,
    hosts: RwLock<HashMap<Name, HostVariables>>,
    layers: RwLock<HashMap<Name, Arc<Layers>>>,
    revision: AtomicU64,
    /// The variable `groups`, made when it is first looked at and anew when the inventory changed.
    groups: RwLock<Option<Value>>,
    pub(crate) extra: Variables,
    /// Whether dictionaries of several levels are laid over each other.
    pub(crate) merges: bool,
    pub(crate) check: bool,
    pub(crate) diff: bool,
    pub(crate) forks: usize,
    pub(crate) verbosity: u8,
    pub(crate) version: &'static str,
    pub(crate) playbook_directory: std::path::PathBuf,
    pub(crate) limit: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) skip_tags: Vec<String>,
    /// The user to connect as, where nothing else says so.
    pub(crate) user: Option<String>,
}

/// Variables of a host in the inventory, by Ansible's precedence, as written; with `merges`
/// dictionaries of several levels are laid over each other.
pub fn inventory_variables(
    inventory: &Arc<Inventory>,
    host: &Name,
    merges: bool,
) -> IndexMap<Name, Arc<sasrun_model::Node>> {
    let layers = Layers::of(inventory, host);
    let mut names: Vec<Name> = layers.names().cloned().collect();
    names.sort();
    names.dedup();
    let found = |name: &Name| match merges {
        true => merged::of_nodes(layers.all(name)),
        false => layers.get(name).cloned(),
    };
    names
        .iter()
        .filter_map(|name| Some((Arc::clone(name), found(name)?)))
        .collect()
}

/// What a host has learnt in this run. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostVariables {
    /// `ansible_facts`, without the prefix.
    pub facts: Arc<Map>,
    /// Facts by the names under which they are seen beside other variables.
    pub injected: Arc<Made>,
    /// From `set_fact` and `register`.
    pub set: Arc<Made>,
    /// From `include_vars`.
    pub included: Arc<Variables>,
    /// Read from files for an `include_vars` that has not ended yet.
    pub loaded: Arc<Variables>,
}

impl Shared {
    /// Begins with an inventory and the command line's variables.
    pub fn new(inventory: Inventory, options: &crate::Options) -> Self {
        Self {
            inventory: RwLock::new(Arc::new(inventory)),
            hosts: RwLock::default(),
            layers: RwLock::default(),
            revision: AtomicU64::default(),
            groups: RwLock::default(),
            extra: options.extra_variables.clone(),
            merges: options.merges_dictionaries,
            check: options.check,
            diff: options.diff,
            forks: options.forks,
            verbosity: options.verbosity,
            version: env!("CARGO_PKG_VERSION"),
            playbook_directory: options.playbook_directory.clone(),
            limit: options.limit.as_ref().map(|hosts| hosts.join(",")),
            tags: options.tags.clone(),
            skip_tags: options.skip_tags.clone(),
            user: options.connection.user.clone(),
        }
    }

    /// The inventory as it is now.
    pub fn inventory(&self) -> Arc<Inventory> {
        Arc::clone(
            &self
                .inventory
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Changes the inventory; hosts' layers are found anew.
    /// Notes whether anything became different.
    pub(crate) fn change_inventory(&self, change: impl FnOnce(&mut Inventory) -> bool) {
        let mut inventory = self
            .inventory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if change(Arc::make_mut(&mut inventory)) {
            self.revision.fetch_add(1, Ordering::Relaxed);
        }
        self.layers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        *self.groups.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A number that grows with each change of the inventory that makes a difference.
    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// Groups with the names of their members.
    pub(crate) fn groups(&self) -> Value {
        let known = self.groups.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(groups) = &*known {
            return groups.clone();
        }
        drop(known);
        let groups = magic::groups(&self.inventory());
        let mut known = self.groups.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some(groups.clone());
        groups
    }

    /// What a host has learnt.
    pub(crate) fn host(&self, name: &str) -> HostVariables {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.get(name).cloned().unwrap_or_default()
    }

    /// Teaches a host something.
    pub(crate) fn change_host(&self, name: &Name, change: impl FnOnce(&mut HostVariables)) {
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        change(hosts.entry(Arc::clone(name)).or_default());
    }

    /// Where a host's inventory variables are looked up, in order.
    pub(crate) fn layers(&self, host: &Name) -> Arc<Layers> {
        let known = self
            .layers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(host)
            .cloned();
        if let Some(layers) = known {
            return layers;
        }
        let layers = Arc::new(Layers::of(&self.inventory(), host));
        let mut all = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(Arc::clone(host), Arc::clone(&layers));
        layers
    }
}
