//! What the two logs share: which form the client accepts, exports that are streamed page by page, event streams.

use crate::http::error::ApiError;
use axum::{
    Json,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use contract::{Cursor, ErrorCode, FieldErrors, Page, PageQuery, Perm, Problem};
use domain::{Ctx, streams::Place, verify};
use futures_util::stream;
use serde::Serialize;
use std::{collections::VecDeque, convert::Infallible, future::Future, time::Duration};
use utoipa::IntoParams;

/// The forms of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One page.
    Json,
    /// Everything, a line a row, cells quoted.
    Csv,
    /// Everything, a JSON object a line.
    Ndjson,
    /// What comes from now on.
    Events,
}

const FORMS: [(&str, Form); 5] = [
    ("application/json", Form::Json),
    ("text/csv", Form::Csv),
    ("application/x-ndjson", Form::Ndjson),
    ("application/ndjson", Form::Ndjson),
    ("text/event-stream", Form::Events),
];

/// The form that the client likes best; 406 where it likes none.
pub fn accepted(headers: &HeaderMap) -> Result<Form, ApiError> {
    let mut asked = false;
    let mut best: Option<(f32, Form)> = None;
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|r| !r.is_empty()) {
            asked = true;
            let mut parts = range.split(';').map(str::trim);
            let wanted = parts.next().unwrap_or_default().to_ascii_lowercase();
            let q = parts.find_map(|p| p.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0_f32);
            let found = match wanted.as_str() {
                "*/*" | "application/*" => Some(Form::Json),
                "text/*" => Some(Form::Csv),
                other => FORMS.iter().find(|(name, _)| *name == other).map(|(_, form)| *form),
            };
            if let Some(form) = found.filter(|_| q > 0.0)
                && best.is_none_or(|(least, _)| q > least)
            {
                best = Some((q, form));
            }
        }
    }
    match best {
        Some((_, form)) => Ok(form),
        None if !asked => Ok(Form::Json),
        None => Err(ErrorCode::NotAcceptable.into()),
    }
}

/// Which page of a log, as the document names it; [`Asked`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "names parameters for the document; exports take the same ones with another meaning")]
pub struct PageParams {
    /// Rows a page, 1 to 200; none means 50. Of an export: rows in all.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<Cursor>,
}

/// The query of a log: which page, and the pairs that are left for its filter.
pub struct Asked {
    /// Which page.
    pub page: PageQuery,
    /// The limit, if one was named.
    pub limit: Option<u16>,
    pairs: Vec<(String, String)>,
}

impl Asked {
    /// Reads it; what cannot be read is named.
    pub fn read(uri: &Uri) -> Result<Self, ApiError> {
        let mut asked = Self { page: PageQuery::default(), limit: None, pairs: Vec::new() };
        let mut errors = FieldErrors::default();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match (&*name, value.trim()) {
                (_, "") => {}
                ("limit", n) => match n.parse::<u16>() {
                    Ok(n) => asked.limit = Some(n),
                    Err(_) => errors.add("limit", "invalid", "A number from 1 to 200."),
                },
                ("cursor", c) => match c.parse::<Cursor>() {
                    Ok(c) => asked.page.cursor = Some(c),
                    Err(()) => errors.add("cursor", "invalid", "Not a cursor of this list."),
                },
                _ => asked.pairs.push((name.into_owned(), value.into_owned())),
            }
        }
        asked.page.limit = asked.limit.unwrap_or(asked.page.limit);
        errors.into_result(Some(asked)).map_err(|e| Problem::invalid(e).into())
    }

    /// Takes one parameter that is no filter.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(n, _)| n == name)?;
        Some(self.pairs.swap_remove(at).1)
    }

    /// What is left, as a filter.
    pub fn filter<T>(&self, parse: impl FnOnce(Vec<(&str, &str)>) -> Result<T, FieldErrors>) -> Result<T, ApiError> {
        parse(self.pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()).map_err(|e| Problem::invalid(e).into())
    }
}

/// What a row is as a line of a table.
pub trait Row: Serialize + Send + 'static {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];
    /// How the file is called, without its ending.
    const FILE: &'static str;
    /// The cells.
    fn cells(&self) -> Vec<String>;
}

/// The answer to a list.
pub fn page<T: Serialize>(page: Page<T>) -> Response {
    ([(header::VARY, "Accept")], Json(page)).into_response()
}

/// Streams an export page by page; at most one page is in memory. The first is read before the answer starts, so that a
/// refusal is one; whatever fails later cuts the body short, which every client notices.
pub async fn export<T, F, Fut>(form: Form, limit: Option<u16>, cursor: Option<Cursor>, next: F) -> Result<Response, ApiError>
where
    T: Row,
    F: Fn(Option<Cursor>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Page<T>, Problem>> + Send,
{
    let first = next(cursor).await?;
    let left = limit.map(usize::from);
    let body = stream::try_unfold((Some(Step::First(first)), left, next), move |(step, left, next)| async move {
        let (mut page, with_head) = match step {
            None => return Ok(None),
            Some(Step::First(page)) => (page, true),
            Some(Step::After(cursor)) => (next(Some(cursor)).await.map_err(|p| std::io::Error::other(p.message))?, false),
        };
        let left = left.map(|n| {
            page.data.truncate(n);
            n - page.data.len()
        });
        let written = if form == Form::Csv { csv(&page.data, with_head)? } else { ndjson(&page.data)? };
        let step = page.next_cursor.filter(|_| left != Some(0)).map(Step::After);
        Ok::<_, std::io::Error>(Some((Bytes::from(written), (step, left, next))))
    });
    let (kind, ending) =
        if form == Form::Csv { ("text/csv; charset=utf-8; header=present", "csv") } else { ("application/x-ndjson", "ndjson") };
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"keystead-{}.{ending}\"", T::FILE)) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

enum Step<T> {
    First(Page<T>),
    After(Cursor),
}

fn ndjson<T: Row>(rows: &[T]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut out, row)?;
        out.push(b'\n');
    }
    Ok(out)
}

fn csv<T: Row>(rows: &[T], with_head: bool) -> std::io::Result<Vec<u8>> {
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if with_head {
        out.write_record(T::COLUMNS)?;
    }
    for row in rows {
        out.write_record(row.cells().into_iter().map(neutral))?;
    }
    out.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// A cell that a spreadsheet would run as a formula is made text (s79).
fn neutral(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

/// How often a stream looks for what is new.
const LOOK: Duration = Duration::from_secs(1);

/// Where a client that was cut off goes on.
pub fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id").and_then(|v| v.to_str().ok()).map(str::trim).filter(|id| !id.is_empty())
}

/// The address of a stream speaks one form only.
pub fn accepts_events(headers: &HeaderMap) -> Result<(), ApiError> {
    let all = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let mut ranges = all.map(|r| r.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()).filter(|r| !r.is_empty()).peekable();
    if ranges.peek().is_none() || ranges.any(|r| matches!(r.as_str(), "text/event-stream" | "text/*" | "*/*")) {
        return Ok(());
    }
    Err(ErrorCode::NotAcceptable.into())
}

/// A `Last-Event-ID` that is none of ours.
pub fn not_an_event_id() -> ApiError {
    Problem::invalid(FieldErrors::one("Last-Event-ID", "invalid", "Not an id of this stream.")).into()
}

/// Sends what is new as it comes. `next` answers the events behind a place, and the next place. The stream ends when the
/// server stops, and when the credential no longer works or no longer holds `perm`: both are looked up before each event,
/// so that what waits for a slow reader does not outlive their right to it.
pub fn events<P, F, Fut>(ctx: Ctx, perm: Perm, start: P, next: F) -> Result<Response, ApiError>
where
    P: Clone + Send + 'static,
    F: Fn(Ctx, P) -> Fut + Send + 'static,
    Fut: Future<Output = domain::Result<(Vec<Event>, P)>> + Send,
{
    let grant = ctx.require(perm).map_err(|e| ctx.problem(e))?;
    let Some(open) = ctx.core().streams.open(grant.tenant_id()) else {
        return Err(Problem::new(ErrorCode::Unavailable).message("Too many streams are open: end one of them first").into());
    };
    let feed = Feed { ctx, place: start, waiting: VecDeque::new(), first: true, _open: open };
    let sent = stream::unfold((feed, next), move |(mut feed, next)| async move {
        loop {
            feed.ctx = verify::refreshed(&feed.ctx)?;
            feed.ctx.require(perm).ok()?;
            if let Some(event) = feed.waiting.pop_front() {
                return Some((Ok::<_, Infallible>(event), (feed, next)));
            }
            if !std::mem::take(&mut feed.first) {
                tokio::select! {
                    () = feed.ctx.core().stopping() => return None,
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
            let (events, place) = match next(feed.ctx.clone(), feed.place.clone()).await {
                Ok(found) => found,
                // The database may be away for a moment: the place is kept.
                Err(domain::Error::Unavailable(_)) => continue,
                Err(_) => return None,
            };
            feed.waiting.extend(events);
            feed.place = place;
        }
    });
    let mut response = Sse::new(sent).keep_alive(KeepAlive::default()).into_response();
    // A proxy that collects the stream would send nothing for hours.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

struct Feed<P> {
    ctx: Ctx,
    place: P,
    waiting: VecDeque<Event>,
    first: bool,
    _open: Place,
}

/// One event of a stream.
pub fn event(id: &str, name: &str, row: &impl Serialize) -> domain::Result<Event> {
    Event::default().id(id).event(name).json_data(row).map_err(domain::Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Result<Form, ErrorCode> {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(header::ACCEPT, accept.parse().expect("a header"));
        }
        accepted(&headers).map_err(|e| e.0.code)
    }

    #[test]
    fn the_form_is_the_one_the_client_likes_best_or_406() {
        for (accept, form) in [
            ("", Form::Json),
            ("*/*", Form::Json),
            ("application/json", Form::Json),
            ("text/csv", Form::Csv),
            ("Text/CSV; charset=utf-8", Form::Csv),
            ("application/x-ndjson", Form::Ndjson),
            ("text/event-stream", Form::Events),
            ("text/html, application/json;q=0.5, text/csv;q=0.9", Form::Csv),
            ("text/csv;q=0, */*;q=0.1", Form::Json),
        ] {
            assert_eq!(of(accept), Ok(form), "{accept}");
        }
        for refused in ["text/html", "application/xml, image/*", "text/csv;q=0"] {
            assert_eq!(of(refused), Err(ErrorCode::NotAcceptable), "{refused}");
        }
    }

    #[test]
    fn s79_cells_that_a_spreadsheet_would_run_are_text() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(neutral(bad.to_owned()), format!("'{bad}"));
        }
        for good in ["", "curl/8", "a=b", "'=1", "203.0.113.9"] {
            assert_eq!(neutral(good.to_owned()), good);
        }
    }
}
