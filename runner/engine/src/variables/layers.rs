//! A host's variables in the inventory, by Ansible's order of precedence.

use std::sync::Arc;

use sasrun_model::{Group, Host, Inventory, LayeredVariables, Name, Node, Variables};

/// The inventory as one host sees it. Holds no copy of any variable.
#[derive(Debug)]
pub(crate) struct Layers {
    inventory: Arc<Inventory>,
    host: Option<usize>,
    /// Groups by index, lowest precedence first; `all` is the first.
    groups: Vec<usize>,
}

impl Layers {
    /// Finds the layers of a host; one that is not in the inventory sees the group `all`.
    pub(crate) fn of(inventory: &Arc<Inventory>, name: &Name) -> Self {
        let host = inventory.hosts.get_index_of(name);
        let index = |group: &Group| inventory.groups.get_index_of(&group.name);
        let groups = match host.and_then(|index| inventory.hosts.get_index(index)) {
            Some((_, host)) => inventory
                .groups_of(host)
                .into_iter()
                .filter_map(index)
                .collect(),
            None => inventory.groups.get_index_of("all").into_iter().collect(),
        };
        Self {
            inventory: Arc::clone(inventory),
            host,
            groups,
        }
    }

    /// Names of the groups without `all`, sorted: `group_names`.
    pub(crate) fn group_names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self
            .groups()
            .map(|group| Arc::clone(&group.name))
            .filter(|name| &**name != "all")
            .collect();
        names.sort();
        names
    }

    /// Looks a variable up: the host's own first, then the groups', nearest first.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Node>> {
        self.all(name).next()
    }

    /// All that levels say of a variable, the one that wins first.
    pub(crate) fn all<'s, 'n>(
        &'s self,
        name: &'n str,
    ) -> impl Iterator<Item = &'s Arc<Node>> + use<'s, 'n> {
        let own = self.host().map(|host| &host.variables);
        let of_host = own.into_iter().flat_map(move |own| {
            [&own.beside_playbook, &own.beside_inventory, &own.source]
                .into_iter()
                .filter_map(move |variables| variables.get(name))
        });
        let of_groups = move |all: bool, part: fn(&LayeredVariables) -> &Variables| {
            self.groups()
                .rev()
                .filter(move |group| (&*group.name == "all") == all)
                .filter_map(move |group| part(&group.variables).get(name))
        };
        // Of the groups below `all`: what stands beside the playbook wins over what stands beside
        // the inventory, and that over the inventory itself; `all` comes last in each.
        of_host
            .chain(of_groups(false, |of| &of.beside_playbook))
            .chain(of_groups(false, |of| &of.beside_inventory))
            .chain(of_groups(true, |of| &of.beside_playbook))
            .chain(of_groups(true, |of| &of.beside_inventory))
            .chain(of_groups(false, |of| &of.source))
            .chain(of_groups(true, |of| &of.source))
    }

    /// Names of all variables, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        let host = self.host().map(|host| &host.variables);
        host.into_iter()
            .chain(self.groups().map(|group| &group.variables))
            .flat_map(|layered| {
                layered
                    .source
                    .keys()
                    .chain(layered.beside_inventory.keys())
                    .chain(layered.beside_playbook.keys())
            })
    }

    fn host(&self) -> Option<&Host> {
        self.inventory
            .hosts
            .get_index(self.host?)
            .map(|(_, host)| host)
    }

    fn groups(&self) -> impl DoubleEndedIterator<Item = &Group> {
        self.groups
            .iter()
            .filter_map(|index| self.inventory.groups.get_index(*index))
            .map(|(_, g)| g)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sasrun_model::Span;

    fn vars(value: &str) -> Variables {
        [(
            Name::from("x"),
            Arc::new(Node::text(Span::default(), value)),
        )]
        .into_iter()
        .collect()
    }

    fn inventory(layers: &[(&str, &str)]) -> Arc<Inventory> {
        let mut inventory = Inventory::default();
        let mut group = |name: &str, depth, hosts: &[&str], children: &[&str]| {
            let names = |list: &[&str]| list.iter().map(|n| Name::from(*n)).collect();
            let group = Group {
                name: name.into(),
                hosts: names(hosts),
                children: names(children),
                depth,
                ..Group::default()
            };
            inventory.groups.insert(name.into(), group);
        };
        group("all", 0, &[], &["g"]);
        group("g", 1, &["h"], &[]);
        inventory.hosts.insert(
            "h".into(),
            Host {
                name: "h".into(),
                groups: vec!["g".into()],
                ..Host::default()
            },
        );
        for (owner, layer) in layers {
            let layered: &mut LayeredVariables = match *owner {
                "h" => &mut inventory.hosts["h"].variables,
                group => &mut inventory.groups[group].variables,
            };
            let value = vars(&format!("{owner}.{layer}"));
            match *layer {
                "source" => layered.source = value,
                "inventory" => layered.beside_inventory = value,
                _ => layered.beside_playbook = value,
            }
        }
        Arc::new(inventory)
    }

    #[test]
    fn each_layer_wins_over_those_below_it() {
        // Ansible's levels 3 to 10, lowest first.
        let order = [
            ("all", "source"),
            ("g", "source"),
            ("all", "inventory"),
            ("all", "playbook"),
            ("g", "inventory"),
            ("g", "playbook"),
            ("h", "source"),
            ("h", "inventory"),
            ("h", "playbook"),
        ];
        for (low_at, low) in order.iter().enumerate() {
            for high in &order[low_at..] {
                let inventory = inventory(&[*low, *high]);
                let layers = Layers::of(&inventory, &"h".into());
                let found = layers.get("x").and_then(|node| node.as_str());
                assert_eq!(found, Some(format!("{}.{}", high.0, high.1).as_str()));
            }
        }
    }
}
