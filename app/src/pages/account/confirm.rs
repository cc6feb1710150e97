//! “Confirm that it is you”: the answer to a form whose act wants a fresh proof. It holds the form and goes on with it.

use super::CodeField;
use crate::{
    components::{AuthPage, Banner, TextField, Tone},
    ssr::Confirming,
};
use leptos::prelude::*;

/// In place of the page that was posted to.
#[component]
pub fn ConfirmPage(
    /// What was sent.
    confirming: Confirming,
) -> impl IntoView {
    let Confirming { fields, action, wants_code, errors, message } = confirming;
    let error = move |name: &str| errors.get(name).map(str::to_owned);
    let kept = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.into_any()).collect_view();
    let wrong_code = error("confirm_code").is_some();
    let back = action.clone();
    view! {
        <AuthPage title="Confirm that it is you">
            <p class="soft">"This makes or shows a secret, or changes how you sign in, and you last proved who you are more than 10 minutes ago. What you typed is kept and goes on from here."</p>
            {message.map(|m| view! { <Banner tone=Tone::Danger alert=true><p>{m}</p></Banner> }.into_any())}
            <form class="stack" method="post" action=action novalidate=true data-once="">
                {kept}
                <TextField
                    name="confirm_password"
                    label=|| "Password"
                    kind="password"
                    autocomplete="current-password"
                    error=error("confirm_password")
                    autofocus=!wrong_code
                />
                {wants_code.then(|| view! { <CodeField name="confirm_code" error=error("confirm_code") autofocus=wrong_code/> }.into_any())}
                <button class="btn btn--primary btn--full" type="submit">"Confirm and continue"</button>
            </form>
            <a class="btn btn--quiet btn--full" href=back>"Cancel"</a>
        </AuthPage>
    }
    .into_any()
}
