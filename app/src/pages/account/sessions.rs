//! `/account/sessions`: where one is signed in.

use super::{Done, Tabs, crumbs};
use crate::{
    actions::AccountForm,
    components::{EndForm, ErrorSummary, PageTitle, SessionTable},
    icon::{Icon, IconName},
    numbers::counted,
    returned::returned,
    visit::{Shown, framed},
};
use contract::Lifetime;
use domain::identity::sessions;
use leptos::prelude::*;

/// `/account/sessions`
#[component]
pub fn SessionsPage() -> impl IntoView {
    framed(|visit| async move {
        let all = sessions::list(&visit.ctx).await?;
        let ends = ends(sessions::lifetime_here(&visit.ctx).await?);
        let back = returned::<AccountForm>();
        let done = back.is_none() && visit.query.get_str("done").is_some();
        let others = all.iter().any(|s| !s.current);
        let end = EndForm { action: "/account/sessions".to_owned(), field: "id", act: "end" };
        let end_others = others.then(|| {
            view! {
                <form method="post" action="/account/sessions">
                    <button class="btn" type="submit" name="act" value="others"><Icon name=IconName::LogOut/>"Sign out everywhere else"</button>
                </form>
            }
            .into_any()
        });
        let body = view! {
            <div class="page__head"><PageTitle>"Sessions"</PageTitle></div>
            <Tabs here="/account/sessions"/>
            <div class="stack">
                {done.then(|| view! { <Done text="Ended. It opens nothing any more."/> }.into_any())}
                {back.map(|b| view! { <ErrorSummary errors=b.errors message=b.message/> }.into_any())}
                <p class="small soft">"Where you are signed in to this console and, by programs, over the API, in whichever of your tenants. "{ends}</p>
                <SessionTable all caption="Your sessions, the one used last first" end=Some(end) tenants=true/>
                {end_others}
            </div>
        };
        Ok(Shown::new(crumbs("Sessions"), body))
    })
}

/// When sessions end, in words.
fn ends(lifetime: Lifetime) -> String {
    let idle = match lifetime.idle / 60_000 {
        n if n % 60 == 0 => counted(n / 60, "hour"),
        n => counted(n, "minute"),
    };
    let absolute = match lifetime.absolute / 3_600_000 {
        n if n % 24 == 0 => counted(n / 24, "day"),
        n => counted(n, "hour"),
    };
    format!("A session in this tenant ends after {idle} without a request, and after {absolute} in any case.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_sessions_end_is_said_in_the_largest_unit() {
        let said = ends(Lifetime { idle: 15 * 60_000, absolute: 3_600_000 });
        assert_eq!(said, "A session in this tenant ends after 15 minutes without a request, and after 1 hour in any case.");
        assert!(ends(Lifetime::LONGEST).contains("after 12 hours without a request, and after 7 days"));
    }
}
