//! A decision: a step or an end, with its reason and the time of the next look.

use super::settings::Settings;
use super::standing::Standing;
use super::trouble::{Trouble, traced};
use super::wake::Wake;
use crate::api::Reason;

/// What to do next, why, and when to look again if nothing is to be done now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Verdict<S> {
    pub step: Option<S>,
    pub standing: Standing,
    pub reason: Reason,
    pub message: String,
    /// Request id and date of the failure that the message speaks of.
    pub trace: Option<String>,
    pub wake: Wake,
}

impl<S> Verdict<S> {
    pub fn take(step: impl Into<S>, reason: Reason, message: impl Into<String>) -> Self {
        let (standing, message, wake) = (Standing::Working, message.into(), Wake::backoff(0));
        Self { step: Some(step.into()), standing, reason, message, trace: None, wake }
    }

    pub fn stop(standing: Standing, reason: Reason, message: impl Into<String>, wake: Wake) -> Self {
        Self { step: None, standing, reason, message: message.into(), trace: None, wake }
    }

    /// A verdict that ends a pass because of a failure.
    pub fn fail(trouble: &Trouble, reason: Reason, message: String, failures: u32, settings: &Settings) -> Self {
        let wake = trouble.wake(failures, settings);
        Self { trace: trouble.trace.clone(), ..Self::stop(trouble.standing(), reason, message, wake) }
    }

    /// The same decision, with nothing left to do.
    pub fn ended<T>(self) -> Verdict<T> {
        let Self { standing, reason, message, trace, wake, step: _ } = self;
        Verdict { step: None, standing, reason, message, trace, wake }
    }

    /// The message with its trace.
    pub fn told(&self) -> String {
        traced(&self.message, self.trace.as_deref())
    }
}
