//! `/login/2fa`: the second step of signing in.

use super::CodeField;
use crate::{
    components::{AuthPage, Banner, Tone},
    returned::{Returned, returned},
    ssr::carried,
    url::href,
};
use contract::CodeForm;
use leptos::prelude::*;

/// `/login/2fa`
#[component]
pub fn SecondStepPage() -> impl IntoView {
    let Returned { form, errors, message } = returned::<CodeForm>().unwrap_or_default();
    let next = carried("next");
    let next = next.filter(|_| form.next.is_empty()).unwrap_or(form.next);
    let way = href("/login/2fa", &[("next", Some(next.as_str()))]);
    let error = errors.get("code").map(str::to_owned);
    view! {
        <AuthPage title="Enter your code">
            {message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            <form class="stack" method="post" action=way novalidate=true>
                <input type="hidden" name="next" value=next/>
                <CodeField error autofocus=true/>
                <button class="btn btn--primary btn--full" type="submit">"Sign in"</button>
            </form>
            <p class="small soft">"Lost both? An operator of this server runs "<code>"keystead users disable-2fa"</code>"."</p>
        </AuthPage>
    }
}
