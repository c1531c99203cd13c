//! The files of a batch. Playbooks and variables are written as JSON, which is YAML.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::batch::Batch;
use super::case::Case;
use super::site::Site;

type Table = serde_json::Map<String, Value>;

impl Batch {
    /// Writes everything below a folder, which is emptied first.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        put(&folder.join("extra.json"), &self.at(Site::Extra))?;
        let inventory = folder.join("inventory");
        let play = folder.join("play");
        put(
            &inventory.join("group_vars/all.yml"),
            &self.at(Site::InventoryFolderAll),
        )?;
        put(
            &play.join("group_vars/all/main.yml"),
            &self.at(Site::PlaybookFolderAll),
        )?;
        for case in &self.cases {
            case.write_folders(&inventory, &play)?;
            case.write_role(&play, &self.looks(case))?;
        }
        let hosts = if self.is_yaml {
            text(&inventory.join("hosts.yml"), &self.yaml_hosts())
        } else {
            text(&inventory.join("hosts.ini"), &self.ini_hosts())
        };
        hosts?;
        let plays: Vec<Value> = self
            .cases
            .iter()
            .map(|case| case.play(&self.looks(case)))
            .collect();
        put(&play.join("site.yml"), &plays)
    }

    /// A text that shows every variable of a case, found or not.
    fn looks(&self, case: &Case) -> String {
        let mut text = format!("LOOK {} POINT", case.number);
        for name in self.looked_at(case) {
            // What is registered is a mapping with the value inside.
            let _ = write!(
                text,
                " {name}={{{{ ({name} | default({{}})).msg | default({name}) | default('-') }}}}"
            );
        }
        text + " END"
    }

    fn ini_hosts(&self) -> String {
        let mut text = ini_section("all:vars", &self.at(Site::InventoryAll));
        for case in &self.cases {
            let n = case.number;
            let own = case.at(Site::InventoryHost);
            let own = own.iter().fold(String::new(), |line, (name, value)| {
                format!("{line} {name}={}", value.as_str().unwrap_or_default())
            });
            let _ = write!(
                text,
                "[c{n}]\nh{n}{own}\n[d{n}]\nh{n}\n[p{n}:children]\nc{n}\nd{n}\n"
            );
            text += &ini_section(&format!("p{n}:vars"), &case.at(Site::InventoryParent));
            text += &ini_section(&format!("c{n}:vars"), &case.child());
            text += &ini_section(&format!("d{n}:vars"), &case.at(Site::InventorySibling));
        }
        text
    }

    fn yaml_hosts(&self) -> String {
        let mut groups = Table::new();
        for case in &self.cases {
            let n = case.number;
            let children = json!({
                format!("c{n}"): {"hosts": {format!("h{n}"): case.at(Site::InventoryHost)}, "vars": case.child()},
                format!("d{n}"): {"hosts": {format!("h{n}"): {}}, "vars": case.at(Site::InventorySibling)},
            });
            let parent = json!({"children": children, "vars": case.at(Site::InventoryParent)});
            groups.insert(format!("p{n}"), parent);
        }
        json!({"all": {"vars": self.at(Site::InventoryAll), "children": groups}}).to_string()
    }
}

impl Case {
    /// What the inventory says of the first of two sibling groups.
    fn child(&self) -> Table {
        let mut table = self.at(Site::InventoryChild);
        if self.has_priority {
            table.insert("ansible_group_priority".to_owned(), 10.into());
        }
        table
    }

    fn write_folders(&self, inventory: &Path, play: &Path) -> io::Result<()> {
        let n = self.number;
        for (folder, parent, child, sibling, host) in [
            (
                inventory,
                Site::InventoryFolderParent,
                Site::InventoryFolderChild,
                Site::InventoryFolderSibling,
                Site::InventoryFolderHost,
            ),
            (
                play,
                Site::PlaybookFolderParent,
                Site::PlaybookFolderChild,
                Site::PlaybookFolderSibling,
                Site::PlaybookFolderHost,
            ),
        ] {
            for (name, site) in [("p", parent), ("c", child), ("d", sibling)] {
                put(
                    &folder.join(format!("group_vars/{name}{n}.yml")),
                    &self.at(site),
                )?;
            }
            put(&folder.join(format!("host_vars/h{n}.yml")), &self.at(host))?;
        }
        put(
            &play.join(format!("files-{n}.yml")),
            &self.at(Site::VarsFiles),
        )
    }

    fn write_role(&self, play: &Path, looks: &str) -> io::Result<()> {
        let role = play.join(format!("roles/r{}", self.number));
        put(
            &role.join("defaults/main.yml"),
            &self.at(Site::RoleDefaults),
        )?;
        put(&role.join("vars/main.yml"), &self.at(Site::RoleVars))?;
        put(&role.join("vars/included.yml"), &self.at(Site::IncludeVars))?;
        let task = self.at(Site::Task);
        let look =
            |point: &str| json!({"debug": {"msg": looks.replace("POINT", point)}, "vars": task});
        put(&role.join("tasks/inner.yml"), &json!([look("F")]))?;
        let mut steps = vec![
            look("C"),
            json!({"include_vars": "included.yml"}),
            look("D"),
        ];
        let facts = self.at(Site::SetFact);
        if !facts.is_empty() {
            steps.push(json!({"set_fact": facts}));
        }
        for (name, value) in self.at(Site::Register) {
            steps.push(json!({"debug": {"msg": value}, "register": name}));
        }
        steps.push(look("E"));
        steps.push(json!({"include_tasks": "inner.yml", "vars": self.at(Site::IncludeParams)}));
        let tasks = json!([
            {"debug": {"msg": looks.replace("POINT", "B")}},
            {"block": steps, "vars": self.at(Site::Block)},
        ]);
        put(&role.join("tasks/main.yml"), &tasks)
    }

    fn play(&self, looks: &str) -> Value {
        let n = self.number;
        let look = |point: &str| json!([{"debug": {"msg": looks.replace("POINT", point)}}]);
        let mut role = self.at(Site::RoleParams);
        role.insert("role".to_owned(), format!("r{n}").into());
        let prompts: Vec<Value> = self
            .at(Site::Prompt)
            .into_iter()
            .map(|(name, value)| json!({"name": name, "prompt": "?", "default": value, "private": false}))
            .collect();
        json!({
            "hosts": format!("h{n}"),
            "connection": "local",
            "gather_facts": self.gathers_facts,
            "gather_subset": ["!all", "min"],
            "vars": self.at(Site::Play),
            "vars_prompt": prompts,
            "vars_files": [format!("files-{n}.yml")],
            "pre_tasks": look("A"),
            "roles": [role],
            "tasks": look("G"),
        })
    }
}

fn ini_section(name: &str, table: &Table) -> String {
    let mut text = format!("[{name}]\n");
    for (name, value) in table {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let _ = writeln!(text, "{name}={value}");
    }
    text
}

fn put<T: serde::Serialize>(path: &Path, content: &T) -> io::Result<()> {
    text(path, &serde_json::to_string_pretty(content)?)
}

fn text(path: &Path, content: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, format!("{content}\n"))
}
