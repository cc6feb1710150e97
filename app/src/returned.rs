//! Forms that come back. A form is posted to the address of its page; when the server refuses it, the page is the
//! answer, with everything typed and the errors beside their fields.

use contract::{FieldErrors, Problem};
use leptos::prelude::*;

/// A form as it was posted and what was wrong with it. The server blanks passwords before it puts one into the context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returned<F> {
    /// As typed.
    pub form: F,
    /// What is wrong with which field.
    pub errors: FieldErrors,
    /// What is wrong with the whole, where no field is to blame.
    pub message: Option<String>,
}

impl<F> Returned<F> {
    /// A refused form.
    pub fn refused(form: F, problem: Problem) -> Self {
        let message = problem.fields.is_empty().then_some(problem.message);
        Self { form, errors: problem.fields, message }
    }
}

/// The form that the request being answered posted; `None` on a GET.
pub fn returned<F: Clone + Send + Sync + 'static>() -> Option<Returned<F>> {
    use_context()
}
