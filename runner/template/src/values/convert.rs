//! From values of evaluation to data of the model.

use std::sync::Arc;

use sasrun_model::{Map, Value};

use super::{Eval, Fault, FaultKind, Val};
use crate::eval::Session;

impl Session {
    /// The value as data, with everything in it resolved. What cannot be known stays so, in its place; omitted entries
    /// of containers are left out.
    pub(crate) fn to_data(&self, value: &Val) -> Eval<Value> {
        match self.to_data_strictly(value) {
            Err(fault) => match fault.kind() {
                FaultKind::Unknown(reason) => Ok(Value::CannotKnow(Arc::clone(reason))),
                _ => Err(fault),
            },
            done => done,
        }
    }

    fn to_data_strictly(&self, value: &Val) -> Eval<Value> {
        self.step()?;
        Ok(match value {
            Val::Undefined(undefined) => return Err(Fault::undefined(undefined)),
            Val::Unknown(unknown) => Value::CannotKnow(Arc::clone(&unknown.reason)),
            Val::Omit => Value::Omit,
            Val::Null => Value::Null,
            Val::Bool(value) => Value::Bool(*value),
            Val::Int(value) => Value::Int(*value),
            Val::Float(value) => Value::Float(*value),
            Val::Text(text) => Value::Text(Arc::clone(text)),
            Val::List(items) => Value::List(Arc::clone(items)),
            Val::Map(map) => Value::Map(Arc::clone(map)),
            Val::Seq(_) => {
                let mut items = Vec::new();
                for item in self.iterate(value)? {
                    match self.to_data(&item)? {
                        Value::Omit => {}
                        item => items.push(item),
                    }
                }
                Value::list(items)
            }
            Val::Dict(_) | Val::Keyed(_) | Val::Namespace(_) => {
                let mut map = Map::new();
                for (key, item) in self.entries(value)? {
                    match self.to_data(&item)? {
                        Value::Omit => {}
                        item => {
                            map.insert(key, item);
                        }
                    }
                }
                Value::map(map)
            }
            Val::Pending(_) => {
                let value = self.force(value)?;
                self.to_data(&value)?
            }
            Val::Module(_) | Val::Moment(_) | Val::Interval(_) => Value::from(self.text_of(value)?),
            Val::Function(_) | Val::Loop(_) | Val::Cycler(_) | Val::Joiner(_) => {
                return Err(Fault::operation(format!(
                    "a {} cannot be the result of a template",
                    value.type_name()
                )));
            }
        })
    }
}
