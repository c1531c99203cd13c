//! The component menu: its lines, their marks, and what an answer does to them.
//!
//! Pure: text in, text out. Who reads the terminal and what an upgrade does live elsewhere.

use crate::standin::component;
use crate::standin::fault::{Dash, MenuFaults, Upgraded};

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    pub label: String,
    pub is_marked: bool,
    pub is_upgraded: bool,
}

/// What an answer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The item at this place was flipped.
    Toggled(usize),
    /// The toggle was swallowed.
    Ignored,
    All,
    None,
    Continue,
    Quit,
    NotUnderstood,
}

/// The menu of one run of the installer.
#[derive(Debug, Clone)]
pub struct Menu {
    pub items: Vec<Item>,
    verb: String,
    style: MenuFaults,
    ignored: u32,
}

impl Menu {
    /// A menu of the installed components; `verb` is what the medium says it does with them.
    pub fn new(installed: &[(String, bool)], verb: &str, style: &MenuFaults) -> Self {
        let mut ids: Vec<_> = installed
            .iter()
            .filter(|(id, _)| !style.omit.contains(id))
            .filter(|(_, is_upgraded)| !(*is_upgraded && style.upgraded == Upgraded::Omitted))
            .collect();
        ids.sort_by_key(|(id, _)| {
            style
                .order
                .iter()
                .position(|first| first == id)
                .unwrap_or(usize::MAX)
        });
        let items = ids
            .into_iter()
            .map(|(id, is_upgraded)| Item {
                label: label(id, style),
                id: id.clone(),
                is_marked: style.all_marked,
                is_upgraded: *is_upgraded,
            })
            .collect();
        let verb = if style.verb.is_empty() {
            verb
        } else {
            &style.verb
        };
        Self {
            items,
            verb: verb.to_owned(),
            style: style.clone(),
            ignored: style.ignored_toggles,
        }
    }

    /// The marked items, from top to bottom.
    pub fn marked(&self) -> Vec<&Item> {
        self.items.iter().filter(|item| item.is_marked).collect()
    }

    /// Carries out one answer.
    pub fn answer(&mut self, line: &str) -> Answer {
        let answer = line.trim();
        match answer {
            "a" | "A" => self.mark_all(true),
            "n" | "N" => self.mark_all(false),
            "c" | "C" => Answer::Continue,
            "q" | "Q" => Answer::Quit,
            _ => self.toggle(answer),
        }
    }

    fn mark_all(&mut self, is_marked: bool) -> Answer {
        for item in &mut self.items {
            item.is_marked = is_marked;
        }
        if is_marked { Answer::All } else { Answer::None }
    }

    fn toggle(&mut self, answer: &str) -> Answer {
        let first = usize::try_from(self.style.first_number).unwrap_or(1);
        let index = answer
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(first));
        let Some((index, item)) = index.and_then(|index| Some((index, self.items.get_mut(index)?)))
        else {
            return Answer::NotUnderstood;
        };
        if self.ignored > 0 {
            self.ignored -= 1;
            return Answer::Ignored;
        }
        item.is_marked = !item.is_marked;
        Answer::Toggled(index)
    }

    /// The menu as it is printed; the prompt, if there is one, ends without a line end.
    pub fn render(&self) -> String {
        let mut text = String::from("\nWelcome to the Opsware Installer.\n");
        text.push_str(&format!("Please select the components to {}.\n", self.verb));
        for (index, item) in self.items.iter().enumerate() {
            text.push_str(&self.line(index, item));
        }
        text.push_str("Enter a component number to toggle ('a' for all, 'n' for none).\n");
        if self.style.closing_line {
            text.push_str("When ready, press 'c' to continue, or 'q' to quit.\n");
        }
        text.push_str(&self.style.prompt);
        text
    }

    fn line(&self, index: usize, item: &Item) -> String {
        let number = index + usize::try_from(self.style.first_number).unwrap_or(1);
        let mark = if item.is_marked { '*' } else { ' ' };
        let note = match self.style.upgraded {
            Upgraded::Annotated if item.is_upgraded => " (up to date)",
            _ => "",
        };
        let (strong, plain) = if self.style.colour {
            ("\u{1b}[1;32m", "\u{1b}[0m")
        } else {
            ("", "")
        };
        let line = format!(
            "{number} ({strong}{mark}{plain}) {strong}{}{plain}{note}",
            item.label
        );
        if self.style.redraw {
            format!("{number} ( ) ...\r{line}\n")
        } else {
            format!("{line}\n")
        }
    }
}

fn label(id: &str, style: &MenuFaults) -> String {
    let usual = component::find(id).map_or(id, |facts| facts.label);
    let label = style.labels.get(id).map_or(usual, String::as_str);
    match style.dash {
        Dash::Hyphen => label.to_owned(),
        Dash::En => label.replace(" - ", " \u{2013} "),
        Dash::Em => label.replace(" - ", " \u{2014} "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(ids: &[&str]) -> Vec<(String, bool)> {
        ids.iter()
            .map(|id| ((*id).to_owned(), *id == "spin"))
            .collect()
    }

    fn ids(menu: &Menu) -> Vec<&str> {
        menu.items.iter().map(|item| item.id.as_str()).collect()
    }

    #[test]
    fn answers_flip_mark_and_leave() {
        let mut menu = Menu::new(
            &installed(&["truth", "spin"]),
            "upgrade",
            &MenuFaults::default(),
        );
        let table = [
            ("1", Answer::Toggled(0), "truth"),
            ("2\r", Answer::Toggled(1), "truth spin"),
            (" 1 ", Answer::Toggled(0), "spin"),
            ("3", Answer::NotUnderstood, "spin"),
            ("0", Answer::NotUnderstood, "spin"),
            ("x", Answer::NotUnderstood, "spin"),
            ("a", Answer::All, "truth spin"),
            ("n", Answer::None, ""),
            ("c", Answer::Continue, ""),
            ("q", Answer::Quit, ""),
        ];
        for (answer, wanted, marked) in table {
            assert_eq!(menu.answer(answer), wanted, "{answer}");
            let now: Vec<_> = menu.marked().iter().map(|item| item.id.as_str()).collect();
            assert_eq!(now.join(" "), marked, "{answer}");
        }
    }

    #[test]
    fn the_usual_menu_reads_as_printed() {
        let mut menu = Menu::new(
            &installed(&["truth", "boot"]),
            "upgrade",
            &MenuFaults::default(),
        );
        menu.answer("2");
        let wanted = "\nWelcome to the Opsware Installer.\nPlease select the components to upgrade.\n\
            1 ( ) Model Repository (truth), Multimaster Additions\n2 (*) OS Provisioning Boot Server\n\
            Enter a component number to toggle ('a' for all, 'n' for none).\n\
            When ready, press 'c' to continue, or 'q' to quit.\nSelection: ";
        assert_eq!(menu.render(), wanted);
    }

    #[test]
    fn the_style_changes_order_numbers_and_look() {
        let style = MenuFaults {
            order: vec!["boot".to_owned()],
            first_number: 5,
            verb: "install".to_owned(),
            colour: true,
            redraw: true,
            closing_line: false,
            prompt: String::new(),
            ..MenuFaults::default()
        };
        let mut menu = Menu::new(&installed(&["truth", "boot"]), "upgrade", &style);
        assert_eq!(ids(&menu), ["boot", "truth"]);
        assert_eq!(menu.answer("6"), Answer::Toggled(1));
        let text = menu.render();
        assert!(text.contains("components to install."));
        assert!(text.contains(
            "5 ( ) ...\r5 (\u{1b}[1;32m \u{1b}[0m) \u{1b}[1;32mOS Provisioning Boot Server"
        ));
        assert!(!text.contains("When ready"));
    }

    #[test]
    fn swallowed_toggles_change_nothing_and_run_out() {
        let style = MenuFaults {
            ignored_toggles: 1,
            ..MenuFaults::default()
        };
        let mut menu = Menu::new(&installed(&["truth"]), "upgrade", &style);
        assert_eq!(menu.answer("1"), Answer::Ignored);
        assert!(menu.marked().is_empty());
        assert_eq!(menu.answer("1"), Answer::Toggled(0));
    }

    #[test]
    fn upgraded_and_omitted_components_are_shown_as_asked() {
        let omitted = MenuFaults {
            upgraded: Upgraded::Omitted,
            ..MenuFaults::default()
        };
        assert_eq!(
            ids(&Menu::new(
                &installed(&["truth", "spin"]),
                "upgrade",
                &omitted
            )),
            ["truth"]
        );
        let annotated = MenuFaults {
            upgraded: Upgraded::Annotated,
            ..MenuFaults::default()
        };
        let text = Menu::new(&installed(&["truth", "spin"]), "upgrade", &annotated).render();
        assert!(text.contains("Multimaster Component (up to date)\n"));
        let lacking = MenuFaults {
            omit: vec!["truth".to_owned()],
            ..MenuFaults::default()
        };
        assert_eq!(
            ids(&Menu::new(
                &installed(&["truth", "spin"]),
                "upgrade",
                &lacking
            )),
            ["spin"]
        );
    }

    #[test]
    fn the_dash_of_the_content_line_varies() {
        let style = MenuFaults {
            dash: Dash::En,
            ..MenuFaults::default()
        };
        let text = Menu::new(&installed(&["content"]), "install", &style).render();
        assert!(text.contains("Software Repository \u{2013} Content (install once per mesh)"));
    }
}
