//! The gateway's own installer, which a satellite's gateway is led through after it was marked in the menu.
//!
//! It asks what the gateway shall be called and where its core is, offers what the old settings say, and wants to have
//! it all confirmed. The settings are written later, with the upgrade.

use serde_json::json;

use super::interview::Question;
use super::{Run, RunError};
use crate::standin::gateway::properties::{self, Properties};
use crate::standin::service::catalog::SATELLITE_GATEWAY;
use crate::standin::site;

/// What it asks: name of the parameter, and words.
const QUESTIONS: &[(&str, &str)] = &[
    ("gateway.name", "the name of this gateway"),
    ("gateway.realm", "the realm that this gateway serves"),
    ("gateway.address", "the address of this gateway"),
    ("gateway.core_address", "the address of the core gateway"),
    (
        "gateway.core_port",
        "the tunnel listener port of the core gateway",
    ),
];

impl Run<'_> {
    /// Asks everything; false when the values were not confirmed.
    pub(super) fn second_installer(&mut self) -> Result<bool, RunError> {
        let old = properties::load(SATELLITE_GATEWAY).unwrap_or_default();
        self.terminal.say("\nOpsware Gateway Installer\n")?;
        let count = QUESTIONS.len();
        for (index, (name, text)) in QUESTIONS.iter().enumerate() {
            let question = Question {
                name: (*name).to_owned(),
                text: (*text).to_owned(),
                default: default(&old, name),
                is_secret: false,
            };
            let answer = self.ask_parameter(index + 1, count, &question)?;
            self.gateway.push(((*name).to_owned(), answer));
        }
        self.terminal
            .say("\nThe gateway will be installed with these configuration values:")?;
        for (name, value) in &self.gateway {
            self.terminal.say(&format!("  {name} = {value}"))?;
        }
        loop {
            match self
                .terminal
                .ask("Are these configuration values correct? (y/n): ")?
                .trim()
            {
                "y" | "Y" | "yes" => break,
                "n" | "N" | "no" | "q" => return Ok(false),
                _ => {}
            }
        }
        let values: serde_json::Map<_, _> = self
            .gateway
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        site::log_read("installer.gateway_values", json!({"values": values}));
        Ok(true)
    }

    /// The settings that the answers make.
    pub(super) fn satellite_settings(&self) -> String {
        let value = |name: &str| {
            let found = self.gateway.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let text = properties::satellite_gateway(
            value("gateway.name"),
            self.site.host.dc(),
            value("gateway.address"),
            value("gateway.core_address"),
        );
        text.replace(":2001:", &format!(":{}:", value("gateway.core_port")))
    }
}

/// What the old settings say to a question.
fn default(old: &Properties, name: &str) -> String {
    let of_key = |key: &str| old.value(key).unwrap_or_default().to_owned();
    let tunnel = old.list("TunnelSrc").first().copied().unwrap_or_default();
    let field = |at: usize| tunnel.split(':').nth(at).unwrap_or_default().to_owned();
    match name {
        "gateway.name" => of_key("Gateway"),
        "gateway.realm" => of_key("Realm"),
        "gateway.address" => of_key("GWAddress"),
        "gateway.core_address" => field(0),
        _ => field(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_settings_are_offered() {
        let text = properties::satellite_gateway("sat1", "B", "127.0.1.1", "127.0.0.2");
        let old = Properties::parse(&text).unwrap();
        let offered: Vec<String> = QUESTIONS
            .iter()
            .map(|(name, _)| default(&old, name))
            .collect();
        assert_eq!(
            offered,
            ["sat1", "B-sat1", "127.0.1.1", "127.0.0.2", "2001"]
        );
    }
}
