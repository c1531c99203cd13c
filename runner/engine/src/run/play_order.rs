//! Where something stands in the order of a play, told by its path of identity. It is the same in every run of a
//! playbook, also where hosts or branches go side by side and come to things in an order of their own.

/// A place in the order of a play.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Vec<Part>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A section, by its turn among those that stand beside it.
    Section(u8),
    /// An index in a list, or the turn of a loop.
    Index(u32),
    /// A file, a role or a branch.
    Named(String),
}

impl Place {
    pub(super) fn of(path: &str) -> Self {
        let parts = path.split(['/', '[', ']']).filter(|part| !part.is_empty());
        Self(parts.map(Part::of).collect())
    }
}

impl Part {
    fn of(written: &str) -> Self {
        if let Ok(index) = written.parse() {
            return Self::Index(index);
        }
        match written {
            "pre_tasks" | "block" | "dependencies" => Self::Section(0),
            "roles" | "rescue" => Self::Section(1),
            "tasks" | "always" => Self::Section(2),
            "post_tasks" => Self::Section(3),
            "handlers" => Self::Section(4),
            _ => Self::Named(written.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn places_are_in_the_order_in_which_a_host_comes_to_them() {
        let paths = [
            "0/tasks/7",
            "1/pre_tasks/0",
            "1/roles/0/dependencies/0/b:tasks/0",
            "1/roles/0/a:tasks/0",
            "1/tasks/2/block/0",
            "1/tasks/2/rescue/0",
            "1/tasks/2/always/0",
            "1/tasks/10/r/r:handlers/0[2]",
            "1/tasks/10/r/r:handlers/0[10]",
            "1/tasks/10/r/r:handlers/0[10][1]",
            "1/post_tasks/0",
            "1/handlers/0",
        ];
        for pair in paths.windows(2) {
            assert!(Place::of(pair[0]) < Place::of(pair[1]), "{pair:?}");
        }
    }
}
