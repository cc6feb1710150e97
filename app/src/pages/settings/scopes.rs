//! `/settings/scopes`: the permissions that the tenant's API knows.

use super::{Tabs, crumbs};
use crate::{
    actions::ScopeForm,
    components::{ErrorSummary, InTenant, PageTitle, Pager, TextField},
    icon::{Icon, IconName},
    returned::{Returned, returned},
    url::href,
    visit::{Shown, framed},
};
use contract::{Perm, Scope, ScopeDef, ScopePage};
use domain::scopes;
use leptos::prelude::*;

/// Rows of a page.
const ROWS: u16 = 100;

/// `/settings/scopes`
#[component]
pub fn ScopesPage() -> impl IntoView {
    framed(|visit| async move {
        let after = visit.query.get_str("after").and_then(|s| s.parse::<Scope>().ok());
        visit.ctx.require(Perm::SettingsRead)?;
        let page = scopes::list(&visit.ctx, ROWS, after.as_ref()).await?;
        let back = returned::<ScopeForm>();
        let changes = visit.chrome.role.holds(Perm::SettingsWrite);
        // The one that is being edited, if it is there (it may have been deleted meanwhile).
        let named = back.as_ref().filter(|b| b.form.act != "add").map(|b| b.form.name.clone());
        let named = named.or_else(|| visit.query.get_str("edit").map(str::to_owned)).filter(|_| changes);
        let edited = match named {
            Some(name) => scopes::get(&visit.ctx, Perm::SettingsRead, &name).await.ok(),
            None => None,
        };
        let form = changes.then(|| match edited {
            Some(def) => view! { <Edit def back=back.unwrap_or_default()/> }.into_any(),
            None => view! { <Add back=back.unwrap_or_default()/> }.into_any(),
        });
        let body = view! {
            <div class="page__head"><PageTitle>"Permissions"</PageTitle></div>
            <Tabs here="/settings/scopes"/>
            <div class="cols">
                <div class="stack">
                    <p class="small soft">"What keys of this tenant may be granted. "<code>"resource:verb"</code>" and "<code>"verb:resource"</code>" are the same permission; a verb alone covers every resource."</p>
                    <Catalogue page after changes/>
                </div>
                {form}
            </div>
        };
        Ok(Shown::new(crumbs("Permissions"), body))
    })
}

#[component]
fn Catalogue(page: ScopePage, after: Option<Scope>, changes: bool) -> impl IntoView {
    let count = page.data.len();
    let first = after.map(|_| "/settings/scopes".to_owned());
    let next = page.next_cursor.map(|s| href("/settings/scopes", &[("after", Some(s.as_str()))]));
    let rows = page.data.into_iter().map(|def| view! { <Row def changes/> }.into_any()).collect_view();
    view! {
        <div class="tablebox">
            <table class="tbl tbl--stack" role="table">
                <caption class="sr">"Permissions by name"</caption>
                <colgroup><col class="c-208"/><col class="p2"/><col class="c-88"/></colgroup>
                <thead role="rowgroup">
                    <tr role="row">
                        <th scope="col" role="columnheader">"Permission"</th>
                        <th scope="col" role="columnheader" class="p2">"What it permits"</th>
                        <th scope="col" role="columnheader" class="num"><span class="sr">"Change"</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
            <Pager count noun="permission" newest=first older=next/>
        </div>
    }
    .into_any()
}

#[component]
fn Row(def: ScopeDef, changes: bool) -> impl IntoView {
    let name = def.name.to_string();
    let edit = changes.then(|| {
        let to = href("/settings/scopes", &[("edit", Some(&name))]);
        view! { <a href=to aria-label=format!("Edit {name}")>"Edit"</a> }.into_any()
    });
    let said = if def.description.is_empty() {
        view! { <span class="muted">"No description"</span> }.into_any()
    } else {
        def.description.clone().into_any()
    };
    view! {
        <tr role="row">
            <td role="cell" class="mono m-main">{name}<span class="sub">{def.description.clone()}</span></td>
            <td role="cell" class="p2" title=def.description.clone()>{said}</td>
            <td role="cell" class="num m-side">{edit}</td>
        </tr>
    }
}

#[component]
fn Add(back: Returned<ScopeForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let error = |name: &str| errors.get(name).map(str::to_owned);
    view! {
        <section class="card">
            <div class="card__head"><h2>"Add a permission"</h2></div>
            <form class="card__body stack" method="post" action="/settings/scopes" novalidate=true><InTenant/>
                <ErrorSummary errors=errors.clone() message/>
                <TextField name="name" label=|| "Permission" value=form.name hint="A verb, or resource:verb, such as orders:read." error=error("name") mono=true/>
                <TextField name="description" label=|| "What it permits" value=form.description error=error("description") required=false/>
                <div class="row"><button class="btn btn--primary" type="submit" name="act" value="add"><Icon name=IconName::Plus/>"Add permission"</button></div>
            </form>
        </section>
    }
    .into_any()
}

#[component]
fn Edit(def: ScopeDef, back: Returned<ScopeForm>) -> impl IntoView {
    let Returned { form, errors, message } = back;
    let error = errors.get("description").map(str::to_owned);
    let typed = if form.act == "describe" { form.description } else { def.description.clone() };
    let name = def.name.to_string();
    view! {
        <section class="card">
            <div class="card__head"><h2 class="anywhere"><span class="mono">{name.clone()}</span></h2></div>
            <form class="card__body stack" method="post" action="/settings/scopes" novalidate=true><InTenant/>
                <ErrorSummary errors=errors.clone() message/>
                <input type="hidden" name="name" value=name.clone()/>
                <TextField name="description" label=|| "What it permits" value=typed error=error autofocus=true required=false/>
                <div class="row row--wrap">
                    <button class="btn btn--primary" type="submit" name="act" value="describe">"Save description"</button>
                    <a class="btn btn--quiet" href="/settings/scopes">"Cancel"</a>
                </div>
            </form>
            <form class="card__body card__line stack stack--3" method="post" action="/settings/scopes"><InTenant/>
                <input type="hidden" name="name" value=name/>
                <p class="small soft">"A permission that a key holds cannot be deleted; programs that ask for a deleted one are refused."</p>
                <div class="row"><button class="btn btn--danger" type="submit" name="act" value="delete"><Icon name=IconName::Trash2/>"Delete permission"</button></div>
            </form>
        </section>
    }
    .into_any()
}
