//! The usage log: one row for each decided request, with its reason in words; a chart over it; one event with its checks.

mod event;
mod list;

pub use event::UsageEventPage;
pub use list::Usage;

use crate::{filters::Filters, visit::Visit};
use contract::{Environment, FieldErrors, UsageEvent, UsageQuery, UsageSource};

/// Where the filters of the log are read from.
const PATH: &str = "/usage";

/// What the query of the address asks for, in the environment that the console shows.
fn asked(visit: &Visit) -> (Filters, Result<UsageQuery, FieldErrors>) {
    let filters = Filters::read(PATH, &visit.query, &["environment", "key"]);
    let query = UsageQuery::parse(filters.pairs());
    (filters, query.map(|q| of(q, visit.chrome.prefs.environment)))
}

fn of(query: UsageQuery, environment: Environment) -> UsageQuery {
    UsageQuery { environment: Some(environment), ..query }
}

/// The page of an event, which keeps the filters of the list that led there.
fn event_href(filters: &Filters, id: contract::UsageId) -> String {
    filters.of(&format!("{PATH}/{id}"), &[])
}

/// `GET /v2/orders`; a dash where the client's request is not known.
fn request_line(event: &UsageEvent) -> String {
    let parts = [event.method.as_deref(), event.path.as_deref()];
    let line = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if line.is_empty() { "–".to_owned() } else { line }
}

const fn source_title(source: UsageSource) -> &'static str {
    match source {
        UsageSource::Api => "Keystead",
        UsageSource::Verify => "Verify",
        UsageSource::ForwardAuth => "Gateway",
    }
}
