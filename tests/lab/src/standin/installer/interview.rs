//! The interview: which kind of installation, how thoroughly to ask, and one question after the other.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::{Run, RunError};
use crate::standin::response::dialect::value;
use crate::standin::response::parameters::{self, PARAMETERS};
use crate::standin::response::timestamp::{Form, now};
use crate::standin::response::{DIRECTORY, RELEASE_PARAMETER};
use crate::standin::site;

/// How an interview ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// On with the installation, using the file just saved.
    GoOn,
    /// The file is saved, the installation is left.
    Saved,
    Quit,
}

/// Kinds of installation as they are offered.
const KINDS: &[&str] = &[
    "Standalone Installation: Standalone Opsware Core",
    "Multimaster Installation: First Core (convert from standalone)",
    "Multimaster Installation: First Core",
    "Multimaster Installation: Additional Core",
];

/// Kinds that are right for the source core and for the others.
const RIGHT_FOR_SOURCE: usize = 1;
const RIGHT_FOR_DESTINATION: usize = 3;

/// One question to be asked.
pub(super) struct Question {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) default: String,
    pub(super) is_secret: bool,
}

impl Run<'_> {
    /// Asks everything and saves the answers.
    pub(super) fn interview(&mut self) -> Result<Ended, RunError> {
        if !self.site.host.satellite && !self.is_of_right_kind()? {
            return Ok(Ended::Quit);
        }
        let Some(is_advanced) = self.ask_mode()? else {
            return Ok(Ended::Quit);
        };
        site::log_read("installer.mode", json!({"advanced": is_advanced}));
        let questions = self.questions(is_advanced);
        self.terminal.say(&format!(
            "\nNow you will be asked {} questions. Default values are shown in brackets.",
            questions.len()
        ))?;
        let count = questions.len();
        for (index, question) in questions.iter().enumerate() {
            let answer = self.ask_parameter(index + 1, count, question)?;
            self.set(&question.name, answer);
        }
        loop {
            match self
                .terminal
                .ask("\nAll parameters have values. Do you wish to finish the interview (y/n): ")?
                .trim()
            {
                "y" | "Y" | "yes" => break,
                "q" | "Q" => return Ok(Ended::Quit),
                _ => {}
            }
        }
        self.save_and_ask()
    }

    /// Asks for the kind of installation, which a satellite is not asked for; false ends the run.
    fn is_of_right_kind(&mut self) -> Result<bool, RunError> {
        let Some(kind) = self.ask_kind()? else {
            return Ok(false);
        };
        let is_multimaster = self.site.world.cores.len() > 1;
        let right = if self.site.host.source_core {
            RIGHT_FOR_SOURCE
        } else {
            RIGHT_FOR_DESTINATION
        };
        let is_right = if is_multimaster {
            kind == right
        } else {
            kind == 0
        };
        site::log_read(
            "installer.kind",
            json!({"label": KINDS.get(kind), "right": is_right}),
        );
        if !is_right {
            self.terminal.say("\nVerify \"installation type\": FAILURE (does not fit this core)\n\nUpgrade aborted.")?;
        }
        Ok(is_right)
    }

    fn ask_kind(&mut self) -> Result<Option<usize>, RunError> {
        let mut text = String::from(
            "\nWelcome to the Opsware Installer.\nPlease select the installation type.\n\n",
        );
        for (index, label) in KINDS.iter().enumerate() {
            text.push_str(&format!("{} - {label}\n", index + 1));
        }
        text.push_str("\nPlease select one of the options, or 'q' to quit: ");
        self.ask_number(&text, KINDS.len())
    }

    fn ask_mode(&mut self) -> Result<Option<bool>, RunError> {
        let text = "\nPlease select the interview mode.\n\n1 - Simple Interview Mode\n2 - Advanced Interview Mode\n\n\
                    Please select one of the options, or 'q' to quit: ";
        Ok(self.ask_number(text, 2)?.map(|index| index == 1))
    }

    /// Asks for a number from 1; gives it counted from 0, or none to quit.
    fn ask_number(&mut self, text: &str, count: usize) -> Result<Option<usize>, RunError> {
        loop {
            let answer = self.terminal.ask(text)?;
            if answer.trim().eq_ignore_ascii_case("q") {
                return Ok(None);
            }
            match answer.trim().parse::<usize>() {
                Ok(number) if (1..=count).contains(&number) => return Ok(Some(number - 1)),
                _ => self.terminal.say("\nInvalid selection.")?,
            }
        }
    }

    fn questions(&self, is_advanced: bool) -> Vec<Question> {
        let known = PARAMETERS
            .iter()
            .filter(|parameter| is_advanced || parameter.is_simple)
            .map(|parameter| Question {
                name: parameter.name.to_owned(),
                text: parameter.text.to_owned(),
                default: value(&self.parameters, parameter.name)
                    .unwrap_or_default()
                    .to_owned(),
                is_secret: parameter.is_secret,
            });
        let extra = self
            .site
            .faults()
            .installer
            .extra_parameters
            .iter()
            .map(|parameter| Question {
                name: parameter.name.clone(),
                text: parameter.text.clone(),
                default: parameter.default.clone(),
                is_secret: false,
            });
        known.chain(extra).collect()
    }

    pub(super) fn ask_parameter(
        &mut self,
        number: usize,
        count: usize,
        question: &Question,
    ) -> Result<String, RunError> {
        self.terminal.say(&format!(
            "\nParameter {number} of {count} ({})",
            question.name
        ))?;
        if question.is_secret {
            return self.ask_secret_parameter(question);
        }
        let bracket = if question.default.is_empty() {
            String::new()
        } else {
            format!(" [{}]", question.default)
        };
        let answer = self
            .terminal
            .ask(&format!("Please enter {}{bracket}: ", question.text))?;
        Ok(if answer.is_empty() {
            question.default.clone()
        } else {
            answer
        })
    }

    fn ask_secret_parameter(&mut self, question: &Question) -> Result<String, RunError> {
        loop {
            let first = self
                .terminal
                .ask_secret(&format!("Please enter {}: ", question.text))?;
            let second = self.terminal.ask_secret("Re-enter the password: ")?;
            if first.is_empty() {
                self.terminal.say("A value is required.")?;
            } else if first == second {
                return Ok(first);
            } else {
                self.terminal.say("The passwords do not match.")?;
            }
        }
    }

    fn set(&mut self, name: &str, value: String) {
        match self
            .parameters
            .iter_mut()
            .rev()
            .find(|(known, _)| known == name)
        {
            Some((_, old)) => *old = value,
            None => self.parameters.push((name.to_owned(), value)),
        }
    }

    fn save_and_ask(&mut self) -> Result<Ended, RunError> {
        let stamp = Form::of_facility(self.site.host.facility.id).write(now());
        let proposed = format!("{DIRECTORY}/resp.{stamp}");
        let answer = self
            .terminal
            .ask(&format!("\nName of response file to write [{proposed}]: "))?;
        let path = if answer.trim().is_empty() {
            proposed
        } else {
            answer.trim().to_owned()
        };
        let path = Path::new(&path);
        self.set(
            RELEASE_PARAMETER,
            format!("opsware_{}", self.origin.version),
        );
        let text = self
            .dialect
            .write("Opsware Installer response file", &self.parameters);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let differing = self.differing();
        site::log_effect(
            "installer.response_saved",
            json!({"file": path, "differs_from_truth": differing}),
        );
        self.terminal
            .say(&format!("Response file saved in {}", path.display()))?;
        self.response_file = path.to_owned();
        loop {
            let question =
                "\nWould you like to continue the installation using this response file? (y/n): ";
            match self.terminal.ask(question)?.trim() {
                "y" | "Y" | "yes" => return Ok(Ended::GoOn),
                "n" | "N" | "no" | "q" => return Ok(Ended::Saved),
                _ => {}
            }
        }
    }

    /// Names of the parameters whose saved values are not those of the core.
    fn differing(&self) -> Vec<String> {
        let Some(core) = self.site.core() else {
            return Vec::new();
        };
        parameters::of_host(&self.site.world, core, &self.site.host)
            .into_iter()
            .filter(|(name, right)| value(&self.parameters, name) != Some(right))
            .map(|(name, _)| name)
            .collect()
    }
}
