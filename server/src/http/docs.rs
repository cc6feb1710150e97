//! `/docs`: the document as a page, written by the server. It has no script and works without any.

use super::{AppState, openapi};
use axum::{
    Router,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The document and its page.
pub fn routes() -> Router<AppState> {
    Router::new().route("/openapi.json", get(openapi::serve)).route("/docs", get(page))
}

/// No script at all; style sheet, font and icon are this server's.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

async fn page(State(state): State<AppState>) -> Response {
    let html = Page { document: &openapi::VALUE, base: &state.core.settings.public_url, css: &state.assets.css }.html();
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, html).into_response()
}

/// The methods in the order in which people read them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

struct Page<'a> {
    document: &'a Value,
    base: &'a str,
    css: &'a str,
}

/// One operation with where it stands.
struct Op<'a> {
    method: &'static str,
    path: &'a str,
    it: &'a Value,
}

impl Op<'_> {
    fn id(&self) -> &str {
        text(&self.it["operationId"])
    }
}

impl Page<'_> {
    fn html(&self) -> String {
        let version = escape(text(&self.document["info"]["version"]));
        let nav: String = self.nouns().map(|(name, _, _)| format!("<a href=\"#{}\">{}</a>", slug(name), escape(name))).collect();
        let nouns: String = self.nouns().map(|(name, about, ops)| self.noun(name, about, &ops)).collect();
        let types: String = self.schemas().map(|(name, schema)| self.named_type(name, schema)).collect();
        let errors: String = members(&self.document["components"]["responses"])
            .map(|(name, r)| row(&format!("<code>{}</code>", escape(name.trim_start_matches("Error"))), &words(text(&r["description"]))))
            .collect();
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>API · Keystead</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
             <link rel=\"icon\" type=\"image/svg+xml\" href=\"/pkg/assets/favicon.svg\"><link rel=\"stylesheet\" href=\"{css}\"></head>\
             <body><a class=\"skip\" href=\"#main\">Skip to content</a><div class=\"shell\">\
             <aside class=\"side\" id=\"side\" popover><a class=\"side__brand\" href=\"/\">{LOGO}Keystead</a>\
             <nav class=\"nav\" aria-label=\"Nouns\">{nav}<a href=\"#errors\">Errors</a><a href=\"#types\">Types</a></nav></aside>\
             <div class=\"main\"><header class=\"top\"><button class=\"btn btn--ghost top__menu\" type=\"button\" popovertarget=\"side\">Menu</button>\
             <nav aria-label=\"Breadcrumb\"><ol class=\"crumbs\"><li><a href=\"/\">Keystead</a></li><li aria-current=\"page\">API</li></ol></nav>\
             <div class=\"acts push\"><a class=\"small\" href=\"/openapi.json\">openapi.json</a></div></header>\
             <main class=\"page stack\" id=\"main\" tabindex=\"-1\"><div class=\"page__head\"><h1>API</h1><span class=\"badge\">{version}</span></div>\
             <div class=\"narrow stack stack--2\">{about}</div>{nouns}\
             <h2 id=\"errors\">Errors</h2><div class=\"card\"><div class=\"card__body stack\">\
             <p>Every error has the body <a href=\"#type-Problem\">Problem</a>.</p><dl class=\"dl\">{errors}</dl></div></div>\
             <h2 id=\"types\">Types</h2>{types}</main></div></div></body></html>",
            css = escape(self.css),
            about = words(text(&self.document["info"]["description"])),
        )
    }

    fn nouns(&self) -> impl Iterator<Item = (&str, &str, Vec<Op<'_>>)> {
        let tags = self.document["tags"].as_array().into_iter().flatten();
        tags.map(|tag| {
            let name = text(&tag["name"]);
            let all = members(&self.document["paths"])
                .flat_map(|(path, item)| METHODS.into_iter().filter_map(move |method| item.get(method).map(|it| Op { method, path, it })));
            (name, text(&tag["description"]), all.filter(|op| op.it["tags"][0] == name).collect())
        })
    }

    fn schemas(&self) -> impl Iterator<Item = (&str, &Value)> {
        members(&self.document["components"]["schemas"])
    }

    fn noun(&self, name: &str, about: &str, ops: &[Op<'_>]) -> String {
        let index: String = ops
            .iter()
            .map(|op| {
                format!(
                    "<li><span class=\"badge badge--mono\">{}</span><a class=\"mono\" href=\"#{}\">{}</a><span class=\"soft push hide-sm\">{}</span></li>",
                    op.method.to_uppercase(),
                    escape(op.id()),
                    escape(op.path),
                    words_inline(text(&op.it["summary"])),
                )
            })
            .collect();
        let each: String = ops.iter().map(|op| self.operation(op)).collect();
        format!(
            "<h2 id=\"{id}\">{name}</h2><p class=\"soft\">{about}</p><div class=\"card\"><ul class=\"rows\">{index}</ul></div>{each}",
            id = slug(name),
            name = escape(name),
            about = escape(about),
        )
    }

    fn operation(&self, op: &Op<'_>) -> String {
        let mut out = format!(
            "<section class=\"card\" id=\"{id}\" aria-labelledby=\"h-{id}\"><div class=\"card__head\">\
             <span class=\"badge badge--mono badge--accent\">{method}</span><h3 class=\"mono anywhere\" id=\"h-{id}\">{path}</h3>",
            id = escape(op.id()),
            method = op.method.to_uppercase(),
            path = escape(op.path),
        );
        let badge = match op.it.get(openapi::PERMISSION).map(text) {
            Some(permission) => format!("<span class=\"badge badge--mono push\">{}</span>", escape(permission)),
            None if op.it["security"].as_array().is_some_and(|s| s.iter().any(|s| *s == json!({}))) => open_badge("open to everybody"),
            None if op.it["security"].as_array().is_none_or(Vec::is_empty) => open_badge("open to everybody"),
            None if op.it["security"][0].get("gateway").is_some() => open_badge("a gateway's key"),
            None => open_badge("any credential"),
        };
        out.push_str(&badge);
        let _ = write!(
            out,
            "</div><div class=\"card__body stack\"><div class=\"stack stack--2\">{}{}",
            words(text(&op.it["summary"])),
            words(text(&op.it["description"]))
        );
        if let Some(others) = op.it.get(openapi::ALSO_AT).and_then(Value::as_array) {
            let others: Vec<_> = others.iter().map(|o| format!("<code>{}</code>", escape(text(o)))).collect();
            let _ = write!(out, "<p class=\"soft\">Also at {}.</p>", others.join(", "));
        }
        out.push_str("</div>");
        let parameters: String = op.it["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|p| {
                let need = if p["required"] == true { ", required" } else { "" };
                let kind = format!("<span class=\"soft\">{}, in the {}{need}</span>", self.kind(&p["schema"]), escape(text(&p["in"])));
                row(&format!("<code>{}</code>", escape(text(&p["name"]))), &format!("{kind} {}", words_inline(text(&p["description"]))))
            })
            .collect();
        section(&mut out, "Parameters", &parameters);
        if let Some(schema) = op.it.pointer("/requestBody/content/application~1json/schema") {
            let schema = self.resolved(schema);
            let mut rows = String::new();
            self.rows(&mut rows, schema);
            if rows.is_empty() {
                rows = row("<code>{}</code>", "An empty object, or nothing.");
            }
            section(&mut out, "Body", &rows);
        }
        let answers: String = members(&op.it["responses"]).map(|(status, r)| self.answer(status, r)).collect();
        section(&mut out, "Answers", &answers);
        let _ = write!(out, "<div class=\"code\"><pre tabindex=\"0\">{}</pre></div></div></section>", escape(&self.curl(op)));
        out
    }

    fn answer(&self, status: &str, response: &Value) -> String {
        let described = self.followed(response);
        let mut about = words_inline(text(&described["description"]));
        let success = !status.starts_with(['4', '5']);
        if success {
            for (media, content) in members(&described["content"]) {
                let _ = write!(about, " <span class=\"soft\"><code>{}</code>: {}</span>", escape(media), self.kind(&content["schema"]));
            }
            for (name, header) in members(&described["headers"]) {
                let _ = write!(about, "<br><code>{}</code> {}", escape(name), words_inline(text(&header["description"])));
            }
        }
        let class = if success { "badge badge--ok" } else { "badge" };
        row(&format!("<span class=\"{class}\">{}</span>", escape(status)), &about)
    }

    fn named_type(&self, name: &str, schema: &Value) -> String {
        let mut rows = String::new();
        self.rows(&mut rows, schema);
        let body =
            if rows.is_empty() { format!("<p class=\"soft\">{}</p>", self.shape(schema)) } else { format!("<dl class=\"dl\">{rows}</dl>") };
        format!(
            "<section class=\"card\" id=\"type-{name}\"><div class=\"card__head\"><h3 class=\"mono\">{name}</h3></div>\
             <div class=\"card__body stack stack--2\">{}{body}</div></section>",
            words(text(&schema["description"])),
            name = escape(name),
        )
    }

    /// The members of an object, those of its parts included.
    fn rows(&self, out: &mut String, schema: &Value) {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.rows(out, self.followed(part));
        }
        let required = schema["required"].as_array();
        for (name, member) in members(&schema["properties"]) {
            let need = if required.is_some_and(|r| r.iter().any(|n| n == name)) { ", required" } else { "" };
            let about = words_inline(text(&member["description"]));
            out.push_str(&row(
                &format!("<code>{}</code>", escape(name)),
                &format!("<span class=\"soft\">{}{need}</span> {about}", self.kind(member)),
            ));
        }
    }

    /// A type in a few words, with a link where it has a name.
    fn kind(&self, schema: &Value) -> String {
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
            return format!("<a href=\"#type-{0}\">{0}</a>", escape(name));
        }
        for any in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = schema[any].as_array() {
                let parts: Vec<_> = parts.iter().map(|p| self.kind(p)).collect();
                return parts.join(if any == "allOf" { " and " } else { " or " });
            }
        }
        self.shape(schema)
    }

    fn shape(&self, schema: &Value) -> String {
        let one = |kind: &str| match kind {
            "array" => format!("list of {}", self.kind(&schema["items"])),
            kind => escape(kind),
        };
        let mut said = match &schema["type"] {
            Value::String(kind) => one(kind),
            Value::Array(kinds) => kinds.iter().map(|k| one(text(k))).collect::<Vec<_>>().join(" or "),
            _ => "anything".to_owned(),
        };
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<_> = words.iter().map(|w| format!("<code>{}</code>", escape(text(w)))).collect();
            said = words.join(", ");
        }
        let bound = |name: &str| schema[name].as_i64();
        match (bound("minimum"), bound("maximum")) {
            (Some(from), Some(to)) => said.push_str(&format!(" {from} to {to}")),
            (Some(from), None) if from != 0 => said.push_str(&format!(" from {from}")),
            _ => {}
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            said.push_str(&format!(" <code>{}</code>", escape(pattern)));
        } else if let Some(format) = schema["format"].as_str().filter(|f| f.starts_with("date")) {
            said.push_str(&format!(" ({})", escape(format)));
        }
        said
    }

    fn followed<'a>(&'a self, value: &'a Value) -> &'a Value {
        let there = value["$ref"].as_str().and_then(|r| self.document.pointer(r.trim_start_matches('#')));
        there.unwrap_or(value)
    }

    /// The schema itself: behind a reference, and without the `null` beside it.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let one = schema["oneOf"].as_array().and_then(|parts| parts.iter().find(|p| p["type"] != "null"));
        self.followed(one.unwrap_or(schema))
    }

    fn curl(&self, op: &Op<'_>) -> String {
        let mut path = op.path.to_owned();
        let mut query = Vec::new();
        for p in op.it["parameters"].as_array().into_iter().flatten() {
            let sample = match self.sample(text(&p["name"]), &p["schema"]) {
                Value::String(s) => s,
                other => other.to_string(),
            };
            match text(&p["in"]) {
                "path" => path = path.replace(&format!("{{{}}}", text(&p["name"])), &sample),
                "query" if p["required"] == true => query.push(format!("{}={sample}", text(&p["name"]))),
                _ => {}
            }
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let mut lines = vec![format!("curl '{}{path}{query}'", self.base)];
        if op.method != "get" {
            lines.push(format!("-X {}", op.method.to_uppercase()));
        }
        if op.it["security"].as_array().is_some_and(|s| s.iter().any(|s| s.get("gateway").is_some())) {
            lines.push("-H \"X-Keystead-Gateway: $KEYSTEAD_GATEWAY_KEY\"".to_owned());
        }
        if op.it["security"].as_array().is_some_and(|s| s.iter().any(|s| s.get("bearer").is_some())) {
            lines.push("-H \"Authorization: Bearer $KEYSTEAD_KEY\"".to_owned());
        }
        if let Some(schema) = op.it.pointer("/requestBody/content/application~1json/schema") {
            lines.push("-H 'Content-Type: application/json'".to_owned());
            lines.push(format!("-d '{}'", self.sample("", self.resolved(schema))));
        }
        lines.join(" \\\n  ")
    }

    /// A value that fits, for an example.
    fn sample(&self, name: &str, schema: &Value) -> Value {
        let known = match name {
            "credential" => "sk_live_…",
            "text" => "… sk_live_… …",
            "digest" => "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "prefix" => "old_5f4d",
            "last_four" => "cf99",
            "description" => "Runs things",
            "code" => "RATE_LIMIT_EXCEEDED",
            "path" => "v2/users",
            _ => "",
        };
        if !known.is_empty() {
            return known.into();
        }
        let schema = self.resolved(schema);
        if let Some(example) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)) {
            return example.clone();
        }
        match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
            Some("object") => {
                let required = schema["required"].as_array();
                let all = members(&schema["properties"]);
                let wanted = all.filter(|(n, _)| required.is_some_and(|r| r.iter().any(|m| m == n)) || *n == "scopes");
                Value::Object(wanted.map(|(n, m)| (n.to_owned(), self.sample(n, m))).collect::<Map<_, _>>())
            }
            Some("array") => json!([self.sample(name, &schema["items"])]),
            Some("integer") => schema["minimum"].as_i64().unwrap_or(1).max(1).into(),
            Some("boolean") => true.into(),
            _ => "…".into(),
        }
    }
}

pub(super) const LOGO: &str = "<svg class=\"logo\" viewBox=\"3 1 14 18\" aria-hidden=\"true\"><path class=\"a\" d=\"M3 1h6v3L7 5.5 9 7v2L7 10.5 9 12v7H3z\"/>\
    <path class=\"b\" d=\"M11 1h6v14h-6v-3l2-1.5L11 9V7l2-1.5L11 4z\"/></svg>";

fn open_badge(said: &str) -> String {
    format!("<span class=\"badge push\">{said}</span>")
}

fn section(out: &mut String, title: &str, rows: &str) {
    if !rows.is_empty() {
        let _ = write!(out, "<div class=\"stack stack--2\"><h4 class=\"meta\">{title}</h4><dl class=\"dl\">{rows}</dl></div>");
    }
}

pub(super) fn row(term: &str, about: &str) -> String {
    format!("<dt>{term}</dt><dd>{about}</dd>")
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(k, v)| (k.as_str(), v))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn slug(name: &str) -> String {
    name.to_ascii_lowercase().replace(' ', "-")
}

/// Paragraphs, with `code` in them.
fn words(said: &str) -> String {
    said.split("\n\n").filter(|p| !p.is_empty()).map(|p| format!("<p>{}</p>", words_inline(p))).collect()
}

pub(super) fn words_inline(said: &str) -> String {
    let mut out = String::new();
    for (n, part) in said.split('`').enumerate() {
        let part = escape(part);
        if n % 2 == 1 { out.push_str(&format!("<code>{part}</code>")) } else { out.push_str(&part) }
    }
    out
}

pub(super) fn escape(s: &str) -> String {
    s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_operation_and_type_with_links_that_lead_somewhere() {
        let html = Page { document: &openapi::VALUE, base: "https://keys.test", css: "/pkg/x.css" }.html();
        for (path, item) in members(&openapi::VALUE["paths"]) {
            for method in METHODS.iter().filter(|m| item.get(**m).is_some()) {
                let id = text(&item[*method]["operationId"]);
                assert!(html.contains(&format!("id=\"{id}\"")), "{method} {path}");
            }
        }
        for anchor in html.split("href=\"#").skip(1).filter_map(|h| h.split('"').next()) {
            assert!(html.contains(&format!("id=\"{anchor}\"")), "{anchor}");
        }
        assert!(!html.contains("<script") && !html.contains(" style="));
        assert!(html.contains("curl &#39;https://keys.test/v1/api-keys&#39;"));
    }

    #[test]
    fn what_the_document_says_is_text_and_never_markup() {
        let document =
            json!({"info": {"title": "x", "version": "<b>", "description": "a < `b & c`"}, "tags": [], "paths": {}, "components": {}});
        let html = Page { document: &document, base: "", css: "\"><script>" }.html();
        assert!(html.contains("&lt;b&gt;") && html.contains("a &lt; <code>b &amp; c</code>") && !html.contains("<script>"));
    }
}
