//! Calling filters, tests, functions, methods and macros.

use std::rc::Rc;
use std::sync::Arc;

use super::arguments::{Arguments, Call, CallKind};
use super::{Env, PlacedBlock, Sink};
use crate::error::Problem;
use crate::extensions::ExtensionFunction;
use crate::python::methods;
use crate::syntax::{Argument, CallNode, Expr, ExprKind, FilterCallee, Macro, TestCallee};
use crate::values::{Eval, Fault, Function, Val};

/// A macro, and where it was declared.
pub(crate) struct MacroValue {
    pub(crate) declaration: Arc<Macro>,
    pub(super) env: Env,
    /// What `caller()` calls inside.
    pub(super) caller: Option<Val>,
}

/// `super()` inside a block.
pub(crate) struct SuperCall {
    pub(super) env: Env,
    pub(super) chain: Vec<PlacedBlock>,
}

impl Env {
    fn arguments(&self, arguments: &[Argument]) -> Eval<Arguments> {
        let mut given = Arguments::default();
        for argument in arguments {
            match argument {
                Argument::Positional(expr) => given.positional.push(self.eval(expr)?),
                Argument::Named(name, expr) => {
                    given.named.push((Arc::clone(name), self.eval(expr)?));
                }
                Argument::Spread(expr) => {
                    let items = self.eval(expr)?;
                    given.positional.extend(self.session.iterate(&items)?);
                }
                Argument::SpreadNamed(expr) => {
                    let entries = self.eval(expr)?;
                    entries.known()?;
                    for (key, value) in self.session.entries(&entries)? {
                        given.named.push((key.to_string().into(), value));
                    }
                }
            }
        }
        Ok(given)
    }

    pub(super) fn eval_filter(
        &self,
        callee: &FilterCallee,
        subject: Option<&Expr>,
        arguments: &[Argument],
    ) -> Eval {
        let subject = match subject {
            Some(subject) => self.eval(subject)?,
            None => self
                .family
                .block_subject
                .borrow_mut()
                .take()
                .unwrap_or(Val::Null),
        };
        let arguments = self.arguments(arguments)?;
        self.apply_filter(callee, subject, arguments)
            .or_else(Fault::undefined_into_value)
    }

    /// Applies a filter.
    pub(crate) fn apply_filter(
        &self,
        callee: &FilterCallee,
        subject: Val,
        arguments: Arguments,
    ) -> Eval {
        match callee {
            FilterCallee::BuiltIn(filter) => {
                if !filter.takes_anything {
                    subject.known()?;
                    arguments.known()?;
                }
                let subject = self.session.force(&subject)?;
                let call = Call::bind(
                    self,
                    CallKind::Filter,
                    filter.name,
                    filter.parameters,
                    subject,
                    arguments,
                )?;
                (filter.run)(&call)
            }
            FilterCallee::Named(name) => {
                let Some(function) = self.session.shared.extensions.filters.get(name) else {
                    return Err(Fault::operation(format!("no filter named '{name}'")));
                };
                self.extension(function, subject, arguments)
                    .map_err(|message| match message {
                        Ok(message) => Fault::problem(Problem::Filter {
                            name: name.to_string(),
                            message,
                        }),
                        Err(fault) => fault,
                    })
            }
        }
    }

    pub(super) fn eval_test(
        &self,
        callee: &TestCallee,
        subject: &Expr,
        arguments: &[Argument],
    ) -> Eval {
        let subject = self.eval(subject)?;
        let arguments = self.arguments(arguments)?;
        self.apply_test(callee, subject, arguments)
            .map(Val::Bool)
            .or_else(Fault::undefined_into_value)
    }

    /// Applies a test.
    pub(crate) fn apply_test(
        &self,
        callee: &TestCallee,
        subject: Val,
        arguments: Arguments,
    ) -> Eval<bool> {
        match callee {
            TestCallee::BuiltIn(predicate) => {
                if !predicate.takes_anything {
                    subject.known()?;
                    arguments.known()?;
                }
                let subject = self.session.force(&subject)?;
                let call = Call::bind(
                    self,
                    CallKind::Test,
                    predicate.name,
                    predicate.parameters,
                    subject,
                    arguments,
                )?;
                (predicate.run)(&call)
            }
            TestCallee::Named(name) => {
                let Some(function) = self.session.shared.extensions.tests.get(name) else {
                    return Err(Fault::operation(format!("no test named '{name}'")));
                };
                let value = self
                    .extension(function, subject, arguments)
                    .map_err(|message| match message {
                        Ok(message) => Fault::problem(Problem::Test {
                            name: name.to_string(),
                            message,
                        }),
                        Err(fault) => fault,
                    })?;
                self.session.truth(&value)
            }
        }
    }

    /// Calls what a plugin offers; the error is what it said, or why it was not asked.
    fn extension(
        &self,
        function: &ExtensionFunction,
        subject: Val,
        arguments: Arguments,
    ) -> Result<Val, Result<String, Fault>> {
        let mut positional = Vec::with_capacity(arguments.positional.len() + 1);
        for value in std::iter::once(&subject).chain(&arguments.positional) {
            positional.push(self.known_data(value).map_err(Err)?);
        }
        let mut named = sasrun_model::Map::new();
        for (key, value) in &arguments.named {
            let value = self.known_data(value).map_err(Err)?;
            named.insert(sasrun_model::Key::Text(Arc::clone(key)), value);
        }
        function(&positional, &named)
            .map(|value| Val::from_data(&value))
            .map_err(|err| Ok(err.message))
    }

    fn known_data(&self, value: &Val) -> Eval<sasrun_model::Value> {
        let data = self.session.to_data(value)?;
        match data.cannot_know() {
            Some(reason) => Err(Fault::unknown(reason)),
            None => Ok(data),
        }
    }

    pub(super) fn eval_call(&self, call: &CallNode) -> Eval {
        if let ExprKind::Attribute(base, name) = &call.callee.kind {
            return self.eval_method_call(base, name, &call.arguments);
        }
        let callee = self.eval(&call.callee)?;
        let arguments = self.arguments(&call.arguments)?;
        let result = self.call(&callee, arguments);
        match callee {
            Val::Undefined(_) | Val::Function(Function::Global(_)) => {
                result.or_else(Fault::undefined_into_value)
            }
            _ => result,
        }
    }

    fn eval_method_call(&self, base: &Expr, name: &Arc<str>, arguments: &[Argument]) -> Eval {
        let subject = if methods::changes(name) {
            self.eval_place(base)?
        } else {
            self.eval(base)?
        };
        let arguments = self.arguments(arguments)?;
        if let Val::Undefined(_) = subject {
            return Ok(subject);
        }
        if methods::exists(&subject, name) {
            return self.method(&subject, name, arguments);
        }
        if let Val::Loop(state) = &subject
            && let Some(value) = state.method(&self.session, name, &arguments.positional)?
        {
            return Ok(value);
        }
        let callee = self.session.attribute(&subject, name)?;
        self.call(&callee, arguments)
    }

    fn method(&self, subject: &Val, name: &str, arguments: Arguments) -> Eval {
        arguments.known()?;
        methods::call(self, subject, name, arguments)
    }

    /// Calls whatever can be called.
    pub(crate) fn call(&self, callee: &Val, arguments: Arguments) -> Eval {
        match callee {
            Val::Function(Function::Global(function)) => {
                if !function.takes_anything {
                    arguments.known()?;
                }
                let call = Call::bind(
                    self,
                    CallKind::Function,
                    function.name,
                    function.parameters,
                    Val::Null,
                    arguments,
                )?;
                (function.run)(&call)
            }
            Val::Function(Function::Bound(bound)) => {
                let (subject, name) = &**bound;
                self.method(subject, name, arguments)
            }
            Val::Function(Function::Macro(value)) => self.call_macro(value, arguments),
            Val::Function(Function::Super(super_call)) => super_call.run(),
            Val::Loop(state) => match arguments.positional.first() {
                Some(items) => state.recurse(&self.session, items),
                None => Err(Fault::operation("loop() needs the items to go on with")),
            },
            Val::Joiner(joiner) => Ok(if joiner.used.replace(true) {
                joiner.separator.clone()
            } else {
                Val::from("")
            }),
            // What it gives is as undefined, and an error only where it is used.
            Val::Undefined(_) => Ok(callee.clone()),
            Val::Unknown(unknown) => Err(Fault::unknown(&unknown.reason)),
            other => Err(Fault::operation(format!(
                "'{}' object is not callable",
                other.type_name()
            ))),
        }
    }

    fn call_macro(&self, value: &MacroValue, arguments: Arguments) -> Eval {
        let declaration = &value.declaration;
        let inner = value.env.nested();
        let mut positional = arguments.positional.into_iter();
        let mut named = arguments.named;
        let first_default = declaration.parameters.len() - declaration.defaults.len();
        for (index, parameter) in declaration.parameters.iter().enumerate() {
            let given = positional.next().or_else(|| {
                let at = named.iter().position(|(name, _)| name == parameter)?;
                Some(named.remove(at).1)
            });
            let argument = match given {
                Some(argument) => argument,
                None => match index
                    .checked_sub(first_default)
                    .and_then(|index| declaration.defaults.get(index))
                {
                    Some(default) => inner.eval(default)?,
                    None => Val::undefined(
                        &**parameter,
                        format!("parameter '{parameter}' was not provided"),
                    ),
                },
            };
            inner.set(parameter, argument);
        }
        let mut caller = value.caller.clone();
        if let Some(at) = named.iter().position(|(name, _)| &**name == "caller") {
            caller = Some(named.remove(at).1);
        }
        inner.set(&"varargs".into(), Val::tuple(positional.collect()));
        inner.set(
            &"kwargs".into(),
            Val::dict(
                named
                    .into_iter()
                    .map(|(name, value)| (sasrun_model::Key::Text(name), value))
                    .collect(),
            ),
        );
        if let Some(caller) = caller {
            inner.set(&"caller".into(), caller);
        }
        let text = self.session.deeper(|| inner.capture(&declaration.body))?;
        Ok(Val::from(text))
    }

    pub(super) fn call_with_caller(&self, call: &Expr, caller: &Arc<Macro>) -> Eval {
        let ExprKind::Call(node) = &call.kind else {
            return Err(Fault::operation("a call block needs a call"));
        };
        let caller = Val::Function(Function::Macro(Rc::new(MacroValue {
            declaration: Arc::clone(caller),
            env: self.clone(),
            caller: None,
        })));
        let callee = self.eval(&node.callee)?;
        let mut arguments = self.arguments(&node.arguments)?;
        match &callee {
            Val::Function(Function::Macro(value)) => {
                let value = MacroValue {
                    declaration: Arc::clone(&value.declaration),
                    env: value.env.clone(),
                    caller: Some(caller),
                };
                self.call_macro(&value, arguments)
            }
            _ => {
                arguments.named.push(("caller".into(), caller));
                self.call(&callee, arguments)
            }
        }
    }
}

impl SuperCall {
    fn run(&self) -> Eval {
        let mut sink = Sink::text();
        self.env.run_block_chain(&self.chain, &mut sink)?;
        Ok(Val::from(sink.into_text(self.env.session())?))
    }
}

impl Arguments {
    /// Fails if an argument is undefined or cannot be known.
    fn known(&self) -> Eval<()> {
        for value in &self.positional {
            value.known()?;
        }
        for (_, value) in &self.named {
            value.known()?;
        }
        Ok(())
    }
}
