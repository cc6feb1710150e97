//! What a change changed, member by member.

use leptos::prelude::*;
use serde_json::Value;

/// A member of an object, before and after.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    member: String,
    /// What went.
    gone: Vec<String>,
    /// What stayed, of a list.
    stays: Vec<String>,
    /// What came.
    came: Vec<String>,
}

/// Both sides of a change; members that are the same on both are left out.
#[component]
pub fn Diff(
    /// What stood before.
    before: Option<Value>,
    /// What stands after.
    after: Option<Value>,
) -> impl IntoView {
    let rows = changes(before.as_ref(), after.as_ref()).into_iter().map(|c| {
        let gone = c.gone.into_iter().map(|v| view! { <del>{v}</del> }.into_any()).collect_view();
        let stays = c.stays.into_iter().map(|v| view! { <samp>{v}</samp> }.into_any()).collect_view();
        let came = c.came.into_iter().map(|v| view! { <ins>{v}</ins> }.into_any()).collect_view();
        view! { <li><span class="diff__n">{c.member}</span><span class="diff__v">{gone}{stays}{came}</span></li> }.into_any()
    });
    view! { <ul class="diff">{rows.collect_view()}</ul> }.into_any()
}

fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let empty = serde_json::Map::new();
    let members = |side: Option<&Value>| side.and_then(Value::as_object).cloned().unwrap_or_else(|| empty.clone());
    let (old, new) = (members(before), members(after));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    // One side alone is what was made or removed: it is shown whole, and nothing of it "changed".
    let alone = before.is_none() || after.is_none();
    names.into_iter().filter_map(|name| change(name, old.get(name), new.get(name), alone)).collect()
}

fn change(member: &str, old: Option<&Value>, new: Option<&Value>, alone: bool) -> Option<Change> {
    let set = |v: Option<&Value>| v.filter(|v| !v.is_null()).cloned();
    let (old, new) = (set(old), set(new));
    if old == new {
        return None;
    }
    let (was, is) = (values(old.as_ref()), values(new.as_ref()));
    let lists = [&old, &new].into_iter().flatten().all(Value::is_array);
    let member = member.replace('_', " ");
    let mut made = Change { member, gone: was.clone(), stays: Vec::new(), came: is.clone() };
    if lists {
        made.gone.retain(|v| !is.contains(v));
        made.came.retain(|v| !was.contains(v));
        made.stays = is.into_iter().filter(|v| was.contains(v)).collect();
    }
    if alone && made.gone.is_empty() {
        // What was just made is plain: everything about it is new.
        made.stays = std::mem::take(&mut made.came);
    }
    (!made.gone.is_empty() || !made.came.is_empty() || !made.stays.is_empty()).then_some(made)
}

/// A value in words; a list in as many as it has.
fn values(value: Option<&Value>) -> Vec<String> {
    match value {
        None => Vec::new(),
        Some(Value::Array(all)) => all.iter().map(word).collect(),
        Some(one) => vec![word(one)],
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::String(s) if s.is_empty() => "(empty)".to_owned(),
        Value::String(s) => s.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(before: Option<Value>, after: Option<Value>) -> Vec<(String, String, String, String)> {
        let all = changes(before.as_ref(), after.as_ref());
        all.into_iter().map(|c| (c.member, c.gone.join(" "), c.stays.join(" "), c.came.join(" "))).collect()
    }

    fn row(member: &str, gone: &str, stays: &str, came: &str) -> (String, String, String, String) {
        (member.into(), gone.into(), stays.into(), came.into())
    }

    #[test]
    fn only_members_that_differ_are_shown() {
        let (before, after) = (json!({"state": "active", "name": "x"}), json!({"state": "revoked", "name": "x", "revoked_at": "2026"}));
        assert_eq!(of(Some(before), Some(after)), [row("revoked at", "", "", "2026"), row("state", "active", "", "revoked")]);
    }

    #[test]
    fn of_a_list_it_is_told_what_went_what_came_and_what_stays() {
        let (before, after) = (json!({"scopes": ["read", "write"]}), json!({"scopes": ["read", "delete"]}));
        assert_eq!(of(Some(before), Some(after)), [row("scopes", "write", "read", "delete")]);
    }

    #[test]
    fn what_was_made_is_shown_as_it_is_and_what_was_removed_as_gone() {
        let made = json!({"name": "x", "platform": false, "expires_at": null});
        assert_eq!(of(None, Some(made.clone())), [row("name", "", "x", ""), row("platform", "", "no", "")]);
        assert_eq!(of(Some(made), None), [row("name", "x", "", ""), row("platform", "no", "", "")]);
    }
}
