//! Every kind of problem that the loader reports, with its stable code.
//!
//! A code never changes its meaning and is never given again; the documentation's page of codes is
//! made from [`ALL`].

use sasrun_model::Code;

/// What a code means, for the page of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeEntry {
    /// The code, such as `E012`.
    pub code: Code,
    /// One sentence.
    pub sentence: &'static str,
    /// What to look for, in a paragraph.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal: $sentence:literal, $explanation:literal;)*) => {
        $(#[doc = $sentence] pub const $name: Code = $code;)*

        /// Every code, in order.
        pub const ALL: &[CodeEntry] = &[
            $(CodeEntry { code: $code, sentence: $sentence, explanation: $explanation },)*
        ];
    };
}

codes! {
    FILE = "E001": "A file cannot be read.",
        "The path does not exist, is a directory, or may not be read. Relative paths are looked for beside the file that names them, in its role, and beside the playbook.";
    ENCODING = "E002": "A file is not UTF-8 text.",
        "Inventories, playbooks and variable files are read as UTF-8. The place is that of the first byte that is not.";
    SYNTAX = "E003": "A file is not YAML.",
        "The place is that of the probable cause, which may stand above the line where reading had to stop. Frequent causes are a tab in the indentation, a value with `: ` or a leading `{{` without quotes, a missing blank after a colon, and an unclosed quote or bracket.";
    ALIAS = "E004": "An alias has no anchor.",
        "`*name` repeats what was marked `&name` before it in the same document. A value that begins with `*` is written in quotes.";
    TAG = "E005": "A tag is not known or does not fit.",
        "Besides the tags of YAML itself, `!vault` and `!unsafe` are known. A value that begins with `!` is written in quotes.";
    DUPLICATE_KEY = "E006": "A key stands twice in a mapping.",
        "The later one counts, as in Ansible; both places are shown.";
    MERGE = "E007": "A merge key brings no mapping.",
        "`<<` takes in a mapping or a list of mappings, nearly always an alias.";
    TOO_LARGE = "E008": "A file goes beyond the bounds.",
        "Files have bounds of size, depth and, with aliases written out, of values, so that a few lines cannot fill the memory.";
    VAULT = "E009": "An encrypted value cannot be read.",
        "The password is missing or wrong, or the value was damaged.";
    SHAPE = "E010": "A value has the wrong kind.",
        "The message says which kind is expected: text, a list, a mapping, a number or yes or no.";
    TEMPLATE = "E011": "A template or expression cannot be parsed.",
        "The place is inside the template where the mistake is, or where the template begins when that cannot be told.";
    PLAY_KEY = "E012": "A play has an unknown keyword.",
        "Keywords of plays are those of Ansible, and `preflight` and `batch_by`.";
    PLAY_HOSTS = "E013": "A play does not say where it runs.",
        "Each play has `hosts`: a pattern, or a list of patterns.";
    TASK_KEY = "E014": "A task or block has an unknown keyword.",
        "Everything that is neither a keyword nor a module is refused, for a keyword misspelt is a condition forgotten.";
    NO_ACTION = "E015": "A task does nothing.",
        "A task has exactly one module, or a block, or an include.";
    TWO_ACTIONS = "E016": "A task does two things.",
        "A task has exactly one module. A second one is often a missing `- ` in front of it.";
    MODULE = "E017": "A module is not known.",
        "Built-in modules are listed by `sasrun doc`; a site's own come from its plugins.";
    ARGUMENT = "E018": "Arguments do not fit the module.",
        "`sasrun doc MODULE` lists a module's arguments.";
    FREE_FORM = "E019": "Text after a module's name cannot be split into arguments.",
        "Quotes and template marks must be closed, and only some modules take text besides `key=value` pairs.";
    KEYWORD_VALUE = "E020": "A keyword has a value that it cannot have.",
        "The message says what the keyword takes.";
    NAME = "E021": "A variable's name is not one.",
        "Names of variables begin with a letter or `_` and go on with letters, digits and `_`.";
    HANDLER = "E022": "A notified handler does not exist.",
        "No handler of the play or its roles has this name or listens to it, and nothing that is included later could bring it.";
    ROLE = "E023": "A role is not found.",
        "Roles are looked for in `roles/` beside the playbook, in the configured folders, beside the role that asks, and in collections.";
    ROLE_ENTRY = "E024": "A role is asked for wrongly.",
        "An entry of `roles:` or of `dependencies:` is a name or a mapping with `role:`.";
    CYCLE = "E025": "Files or roles import each other in a circle.",
        "The message shows the chain.";
    INCLUDE = "E026": "An include or import is wrong.",
        "It names one file or role; what an import names must be known when files are loaded, so it cannot be a template of variables.";
    META = "E027": "A meta action is not known.",
        "`meta` takes one of a fixed list of words.";
    PARALLEL = "E028": "Branches of a `parallel` are wrong.",
        "`parallel` is a mapping of branch names to task lists. Two branches that set the same variable of a host are refused, for the order of their ends is not known.";
    LOOP = "E029": "A loop is wrong.",
        "A task has at most one of `loop` and `with_…`; `loop` takes a list or a template that gives one.";
    INVENTORY = "E030": "An inventory is not of a known form.",
        "Known are Ansible's YAML and INI forms, comma-separated hosts, executable scripts, and forms that plugins bring.";
    INVENTORY_KEY = "E031": "A group has an unknown key.",
        "A group has `hosts`, `children` and `vars`.";
    HOST_RANGE = "E032": "A range in a host's name is wrong.",
        "A range is `[01:50]`, `[01:50:2]` or `[a:f]`, with the start not behind the end.";
    GROUP_CYCLE = "E033": "A group is below itself.",
        "Groups form a tree or a net without circles.";
    INVENTORY_SOURCE = "E034": "A plugin's inventory is refused.",
        "The message is the plugin's.";
    INVENTORY_SCRIPT = "E035": "An inventory script failed.",
        "It must end with status 0 and print the JSON of `--list`.";
    UNKNOWN_GROUP = "E036": "A group is used that is not there.",
        "In an INI inventory, `[name:vars]` needs the group `name` to exist.";
    PATTERN = "E037": "A host pattern is wrong or matches nothing.",
        "Patterns are names, globs, `~regex`, `!` to leave out, `&` to intersect, and `[0]`, `[1:3]` to pick.";
    EXTRA_VARIABLES = "E038": "Extra variables cannot be read.",
        "They are `key=value` pairs, YAML or JSON in braces, or `@file`.";
    CONDITION_BRACES = "E039": "A condition stands in template marks.",
        "Conditions are expressions already: write `when: ready`, not `when: \"{{ ready }}\"`.";
    UNKNOWN_HOSTS = "E040": "A play names a group or host that is not there.",
        "It is refused where the name is surely a slip of one that is there and no task adds groups or hosts, or where the inventory's source says that it lists all there are. Elsewhere the play warns and goes on without it, as in Ansible.";
    UNDEFINED = "E041": "A template needs a variable that nothing defines.",
        "It is refused before the run where the task is certain to run and no file, flag, role, earlier task or fact could define the variable. Where that is not certain the task fails when it is reached.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_none_is_given_twice() {
        assert!(ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
