//! Conversations: a module's side of the talk, and the small executor that turns straight-line
//! async code into one. No runtime, no waker, no I/O.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::{Answer, Failure, Host, ModuleFuture, ModuleResult, Request};

/// What a conversation says next.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Step {
    /// It needs something before it can go on.
    Ask { request: Request },
    /// It is over.
    Done { outcome: crate::Outcome },
    /// It is over, without success.
    Failed { failure: Failure },
}

impl From<ModuleResult> for Step {
    fn from(result: ModuleResult) -> Self {
        match result {
            Ok(outcome) => Step::Done { outcome },
            Err(failure) => Step::Failed { failure },
        }
    }
}

/// One task's talk between a module and the engine.
///
/// The engine calls [`next`](Self::next) without an answer once, then with the answer to each
/// request, until a step that is not `Ask`. Dropping a conversation cancels it.
pub trait Conversation: Send {
    /// Goes on until the module asks again or is done.
    fn next(&mut self, answer: Option<Answer>) -> Step;
}

/// The mailbox between the straight-line code and its driver.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) request: Option<Request>,
    pub(crate) answer: Option<Answer>,
}

pub(crate) type SharedExchange = Arc<Mutex<Exchange>>;

/// Makes a conversation of straight-line async code.
///
/// The code may await nothing but the [`Host`]'s methods; anything else would never be woken and
/// is reported as a failure of the module.
pub fn converse(body: impl FnOnce(Host) -> ModuleFuture) -> Box<dyn Conversation> {
    let exchange = SharedExchange::default();
    let future = body(Host::new(Arc::clone(&exchange)));
    Box::new(StraightLine {
        exchange,
        future: Some(future),
    })
}

struct StraightLine {
    exchange: SharedExchange,
    future: Option<ModuleFuture>,
}

impl Conversation for StraightLine {
    fn next(&mut self, answer: Option<Answer>) -> Step {
        let Some(future) = self.future.as_mut() else {
            return Step::Failed {
                failure: Failure::new("the conversation is already over"),
            };
        };
        self.exchange
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .answer = answer;
        let mut context = Context::from_waker(Waker::noop());
        match future.as_mut().poll(&mut context) {
            Poll::Ready(result) => {
                self.future = None;
                result.into()
            }
            Poll::Pending => {
                let request = self
                    .exchange
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .request
                    .take();
                match request {
                    Some(request) => Step::Ask { request },
                    None => {
                        self.future = None;
                        Step::Failed {
                            failure: Failure::new(
                                "the module waits for something that is not the host",
                            ),
                        }
                    }
                }
            }
        }
    }
}

/// The future of one request: hands it over on the first poll, takes the answer on the next.
pub(crate) struct Asking {
    exchange: SharedExchange,
    request: Option<Request>,
}

impl Asking {
    pub(crate) fn new(exchange: SharedExchange, request: Request) -> Self {
        Self {
            exchange,
            request: Some(request),
        }
    }
}

impl Future for Asking {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        let request = self.request.take();
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(request) = request {
            exchange.request = Some(request);
            return Poll::Pending;
        }
        match exchange.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, CommandOutput, Outcome, Read, ReadAnswer};

    #[test]
    fn straight_line_code_becomes_steps() {
        let mut talk = converse(|host| {
            Box::pin(async move {
                let output = host
                    .read_command(Command {
                        script: "id -u".into(),
                        ..Command::default()
                    })
                    .await?;
                Ok(Outcome::unchanged().with("uid", output.stdout.trim()))
            })
        });
        let Step::Ask {
            request: Request::Read { reads },
        } = talk.next(None)
        else {
            panic!("no read")
        };
        assert!(matches!(&reads[..], [Read::Command(command)] if command.script == "id -u"));
        let output = CommandOutput {
            stdout: "0\n".into(),
            ..CommandOutput::default()
        };
        let step = talk.next(Some(Answer::Reads {
            reads: vec![ReadAnswer::Command(output)],
        }));
        let Step::Done { outcome } = step else {
            panic!("not done")
        };
        assert_eq!(outcome.result["uid"], "0");
        assert!(matches!(talk.next(None), Step::Failed { .. }));
    }

    #[test]
    fn a_wait_for_anything_else_fails_the_task() {
        let mut talk = converse(|_| Box::pin(std::future::pending()));
        assert!(matches!(talk.next(None), Step::Failed { .. }));
    }
}
