//! Every SQL statement of the domain is prepared on both databases, whether or not another test runs it.

use domain::on_both;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeMap;

/// Statements as they stand in the sources: literals, and calls of a file's own `concat!` macros put together.
fn statements() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut dirs = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("testing") {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let production = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let mut file = File::default();
                file.read(production.parse().unwrap());
                let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
                found.extend(file.statements.into_iter().map(|sql| (name.clone(), sql)));
            }
        }
    }
    found
}

#[derive(Default)]
struct File {
    /// The literals of each macro's body, in order; `None` where its arguments go.
    macros: BTreeMap<String, Vec<Option<String>>>,
    /// Macros that are one literal: a part that several statements share.
    shared: BTreeMap<String, String>,
    statements: Vec<String>,
}

impl File {
    fn read(&mut self, tokens: TokenStream) {
        let all: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < all.len() {
            match &all[at..] {
                // `macro_rules! select { (pattern) => { concat!("SELECT …", $tail) } }`
                [TokenTree::Ident(i), TokenTree::Punct(_), TokenTree::Ident(name), TokenTree::Group(body), ..] if i == "macro_rules" => {
                    let mut parts = Vec::new();
                    self.concatenated(body.stream(), &mut parts);
                    let alone = if parts.is_empty() { only_literal(body.stream()) } else { None };
                    if let Some(part) = alone.filter(|part| !is_sql(part)) {
                        self.shared.insert(name.to_string(), part);
                    } else if parts.first().is_some_and(|p| p.as_deref().is_some_and(is_sql)) {
                        self.macros.insert(name.to_string(), parts);
                    } else {
                        self.read(body.stream());
                    }
                    at += 4;
                    continue;
                }
                [TokenTree::Ident(name), TokenTree::Punct(p), TokenTree::Group(args), ..]
                    if p.as_char() == '!' && self.macros.contains_key(&name.to_string()) =>
                {
                    let given: String = literals(args.stream()).concat();
                    let parts = &self.macros[&name.to_string()];
                    self.statements.push(parts.iter().map(|p| p.as_deref().unwrap_or(&given)).collect());
                    at += 3;
                    continue;
                }
                [TokenTree::Group(g), ..] => self.read(g.stream()),
                [TokenTree::Literal(l), ..] => self.statements.extend(text(l).filter(|t| is_sql(t))),
                _ => {}
            }
            at += 1;
        }
    }

    /// The arguments of the first `concat!`.
    fn concatenated(&self, tokens: TokenStream, parts: &mut Vec<Option<String>>) {
        let mut concat = false;
        for token in tokens {
            match token {
                TokenTree::Ident(i) if i == "concat" => concat = true,
                TokenTree::Group(g) if concat => {
                    for token in g.stream() {
                        match token {
                            TokenTree::Literal(l) => parts.push(text(&l)),
                            TokenTree::Ident(i) => parts.extend(self.shared.get(&i.to_string()).cloned().map(Some)),
                            TokenTree::Punct(p) if p.as_char() == '$' => parts.push(None),
                            _ => {}
                        }
                    }
                    return;
                }
                TokenTree::Group(g) if parts.is_empty() => self.concatenated(g.stream(), parts),
                _ => {}
            }
        }
    }
}

/// The literal of a macro `() => { "…" }`.
fn only_literal(tokens: TokenStream) -> Option<String> {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    match all.as_slice() {
        [.., TokenTree::Group(body)] | [.., TokenTree::Group(body), TokenTree::Punct(_)] => {
            let mut inner = body.stream().into_iter();
            match (inner.next(), inner.next()) {
                (Some(TokenTree::Literal(l)), None) => text(&l),
                _ => None,
            }
        }
        _ => None,
    }
}

fn literals(tokens: TokenStream) -> Vec<String> {
    tokens.into_iter().filter_map(|t| if let TokenTree::Literal(l) = t { text(&l) } else { None }).collect()
}

fn text(literal: &proc_macro2::Literal) -> Option<String> {
    syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|l| l.value())
}

fn is_sql(text: &str) -> bool {
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|verb| text.starts_with(verb))
}

on_both! {
    async fn every_statement_prepares(t) {
        let all = statements();
        assert!(all.len() > 50, "only {} statements were found", all.len());
        let mut refused = Vec::new();
        for (file, sql) in &all {
            // Statements that only one of the databases knows say so by their names.
            let foreign = if t.is_postgres() { "pragma_" } else { "pg_" };
            // A statement built row by row starts with its columns.
            let sql = if sql.starts_with("INSERT") && sql.ends_with(") ") { format!("{sql}VALUES ({})", vec!["NULL"; sql.matches(',').count() + 1].join(", ")) } else { sql.clone() };
            // PostgreSQL says this last, when every name was found: the type of `$1 IS NULL` comes with the value.
            let typeless = "could not determine data type of parameter";
            if !sql.contains(foreign) && let Err(e) = t.prepare(&sql).await && !e.contains(typeless) {
                refused.push(format!("{file}: {e}\n    {sql}"));
            }
        }
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }
}
