//! Compares the CSS that one engine made for each class with `classes.txt`.
//!     check classes.txt engine.tsv label compiles
//! The .tsv holds `class <tab> CSS in one line` (empty when the class was refused) and a line `* <tab> CSS` with what
//! the engine writes beside the classes (resets, variables). Prints a table row; details go to stderr.
//! Exit code: 0 all right, 2 not all right.

use std::{collections::BTreeMap, env, fs, process::ExitCode};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().collect();
    let [_, classes, tsv, label, compiles] = &args[..] else { panic!("usage: check classes.txt engine.tsv label compiles") };
    let classes = fs::read_to_string(classes).expect("the list of classes");
    let tsv = fs::read_to_string(tsv).expect("what the engine made");
    let made: BTreeMap<&str, &str> = tsv.lines().filter_map(|l| l.split_once('\t')).collect();
    let base = plain(made.get("*").unwrap_or(&""));

    let mut named: Vec<(&str, &str)> = Vec::new();
    let (mut all, mut refused, mut wrong, mut unmatched) = (0, Vec::new(), Vec::new(), Vec::new());
    for line in classes.lines().filter(|l| !l.is_empty() && !l.starts_with("# ")) {
        let (head, rest) = line.split_once(' ').expect("a name and what it must hold");
        if head.starts_with('%') {
            named.push((head, rest));
            continue;
        }
        all += 1;
        let css = plain(made.get(head).expect("a line for every class"));
        if css.is_empty() {
            refused.push(head);
        } else if !rest.split(' ').all(|wanted| holds(&css, wanted, &named)) || dangling(head, &css, &base) {
            wrong.push(head);
        } else if !selects(&css, head) {
            unmatched.push(head);
        }
    }

    let accepted = all - refused.len();
    let styled = accepted - wrong.len();
    let right = styled - unmatched.len();
    println!("| {label:<32} | {compiles:<8} | {accepted:>5}/{all} | {styled:>9}/{all} | {right:>6}/{all} |");
    for (what, list) in [("refused", &refused), ("wrong styles", &wrong), ("right styles under another selector", &unmatched)] {
        if !list.is_empty() {
            eprintln!("  {label}, {what} ({}): {}", list.len(), list.join(" "));
        }
    }
    if right == all { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

/// CSS in one spelling: lower case, no spaces or quotes, `.5` for `0.5`, `;` around every declaration.
fn plain(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut before = ' ';
    let mut chars = css.chars().peekable();
    while let Some(c) = chars.next() {
        let leading_zero = c == '0' && chars.peek() == Some(&'.') && !before.is_ascii_digit() && before != '.';
        before = c;
        match c {
            _ if leading_zero || c.is_whitespace() || c == '"' || c == '\'' => {}
            '{' => out.push_str("{;"),
            '}' => out.push_str(";}"),
            _ => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// Does the CSS hold one of the alternatives?
fn holds(css: &str, wanted: &str, named: &[(&str, &str)]) -> bool {
    wanted.split('|').any(|one| {
        // The longest name first: `%s1.5` is not `%s1`.
        let name = named.iter().filter(|(n, _)| one.contains(n)).max_by_key(|(n, _)| n.len());
        match name {
            Some((n, values)) => values.split('|').any(|v| css.contains(&one.replace(n, v))),
            None => css.contains(one),
        }
    })
}

/// Does it use a variable that neither the engine nor the class defines, without a fallback?
fn dangling(class: &str, css: &str, base: &str) -> bool {
    css.split("var(").skip(1).any(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
        let fallback = rest[name.len()..].starts_with(',');
        let defined = |text: &str| text.contains(&format!("{name}:")) || text.contains(&format!("@property{name}"));
        !fallback && !class.contains(&name) && !defined(css) && !defined(base)
    })
}

/// Does a selector match the class as it is written in the source?
fn selects(css: &str, class: &str) -> bool {
    let mut selector = String::from(".");
    for c in class.chars() {
        if !c.is_ascii_alphanumeric() && c != '-' && c != '_' {
            selector.push('\\');
        }
        selector.push(c.to_ascii_lowercase());
    }
    css.match_indices(&selector)
        .any(|(at, found)| !css[at + found.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '\\')))
}
