//! Islands: the parts of pages that follow what people do. The server renders them like everything else; the browser
//! hydrates them, and only them, from what they were given, which stands in the page as data.
//!
//! An island does not lie in another one, and knows nothing of the page but its arguments and the form around it. The
//! behaviours that rewrite text (`behave::times`) have no business inside one: hydration must find what was rendered.

mod chosen;
mod draft;
mod summary;
pub mod words;

pub use chosen::ChosenScopes;
pub use summary::KeySummary;
