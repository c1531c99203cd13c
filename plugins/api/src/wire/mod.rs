//! Messages between sasrun and a plugin process: one JSON object per line, UTF-8, on its standard
//! input and output. An executable in any language that keeps to them is a plugin.
//!
//! sasrun speaks first: `{"hello":{"protocol":1}}`, answered by `{"hello":{"protocol":1}}`. Every
//! other message carries an `id`, and so does its reply. Replies may come in any order. The `id`
//! of a `start` names the conversation from then on: its answers carry the same one.
//!
//! Nothing else may be written to standard output; standard error is for people.

mod offering;
mod serve;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Answer, Call, InventoryRequest, InventoryResult, ModuleSpec, Step};

pub use offering::Offering;
pub use serve::{Backend, serve, serve_stdio};

/// Version of the messages and of the C interface.
pub const PROTOCOL: u32 = 1;

/// One line from sasrun to the plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToPlugin {
    /// Absent in `hello` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    #[serde(flatten)]
    pub ask: Ask,
}

/// What is wanted of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ask {
    /// First message. Reply: `hello`.
    Hello(Hello),
    /// What the plugin offers. Reply: `description`.
    Describe(Nothing),
    /// Begins a conversation. Reply: `step`.
    Start(Call),
    /// The answer to what the conversation asked last. Reply: `step`.
    Answer(Answer),
    /// The conversation will not be continued. No reply.
    Free(Nothing),
    /// Applies a filter. Reply: `value`, or `error`.
    Filter(Application),
    /// Applies a test. Reply: `value`, true or false, or `error`.
    Test(Application),
    /// Reads an inventory document. Reply: `inventory`.
    Inventory(InventoryRequest),
}

/// One line from the plugin to sasrun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FromPlugin {
    /// The `id` of the message it replies to; absent in `hello` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    #[serde(flatten)]
    pub reply: Reply,
}

/// A plugin's reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reply {
    Hello(Hello),
    Description(Description),
    Step(Step),
    Value(Value),
    Inventory(InventoryResult),
    /// It could not be done; one sentence.
    Error(String),
}

/// The greeting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
}

/// The empty object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Nothing {}

/// A filter or test and what it is applied to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Application {
    pub name: String,
    /// The value on its left.
    pub value: Value,
    /// The arguments in the parentheses.
    #[serde(default)]
    pub arguments: Vec<Value>,
}

/// Everything that a plugin offers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Description {
    pub name: String,
    pub version: String,
    pub modules: Vec<ModuleSpec>,
    pub filters: Vec<String>,
    pub tests: Vec<String>,
    pub inventory_sources: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, Read, Request};

    #[test]
    fn messages_look_as_documented() {
        let cases = [
            (
                ToPlugin {
                    id: None,
                    ask: Ask::Hello(Hello { protocol: 1 }),
                },
                r#"{"hello":{"protocol":1}}"#,
            ),
            (
                ToPlugin {
                    id: Some(1),
                    ask: Ask::Describe(Nothing {}),
                },
                r#"{"id":1,"describe":{}}"#,
            ),
            (
                ToPlugin {
                    id: Some(2),
                    ask: Ask::Answer(Answer::Done),
                },
                r#"{"id":2,"answer":{"answer":"done"}}"#,
            ),
            (
                ToPlugin {
                    id: Some(3),
                    ask: Ask::Filter(Application {
                        name: "shout".into(),
                        value: "a".into(),
                        arguments: vec![2.into()],
                    }),
                },
                r#"{"id":3,"filter":{"name":"shout","value":"a","arguments":[2]}}"#,
            ),
        ];
        for (message, text) in cases {
            assert_eq!(serde_json::to_string(&message).unwrap(), text);
            assert_eq!(serde_json::from_str::<ToPlugin>(text).unwrap(), message);
        }
    }

    #[test]
    fn replies_look_as_documented() {
        let read = Read::Command(crate::Command {
            script: "id".into(),
            ..crate::Command::default()
        });
        let cases = [
            (
                Reply::Step(Step::Ask {
                    request: Request::Read { reads: vec![read] },
                }),
                r#"{"id":2,"step":{"step":"ask","request":{"ask":"read","reads":[{"read":"command","script":"id","place":"target","sensitive":false}]}}}"#,
            ),
            (
                Reply::Step(Step::Done {
                    outcome: Outcome::changed(),
                }),
                r#"{"id":2,"step":{"step":"done","outcome":{"changed":true,"skipped":false}}}"#,
            ),
            (Reply::Value(5.into()), r#"{"id":2,"value":5}"#),
            (Reply::Error("no".into()), r#"{"id":2,"error":"no"}"#),
        ];
        for (reply, text) in cases {
            let message = FromPlugin { id: Some(2), reply };
            assert_eq!(serde_json::to_string(&message).unwrap(), text);
            assert_eq!(serde_json::from_str::<FromPlugin>(text).unwrap(), message);
        }
    }
}
