//! The routes.

use crate::{
    components::Fault,
    pages::{
        AcceptPage, AccountPage, AllowlistPage, AppDetail, AppEdit, AppList, AppLogo, AppRotate, Audit, ConfirmPage, ConsentPage,
        EmailLinkPage, EmailPage, ForgotPage, GrantsPage, KeyBulkRevoke, KeyDetail, KeyEdit, KeyList, KeyRetire, KeyRevoke, KeyRotate,
        LeakDesk, LeakReportPage, Login, MemberPage, MembersPage, NewApp, NewKey, NotFound, Overview, PlansPage, PlatformMailsPage,
        PlatformTenantPage, PlatformTenantsPage, PoliciesPage, ProveAnewPage, RecoveryPage, ResetPage, ScopesPage, SecondStepPage,
        SessionsPage, Setup, TenantPage, TenantsPage, TryPage, TwoFactorPage, Usage, UsageEventPage,
    },
    ssr::Confirming,
};
use contract::Problem;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

/// The console. Every route is rendered whole before it is sent, so that it is whole without JavaScript too.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    // A layer refused the request before it came to a page.
    if let Some(problem) = use_context::<Problem>() {
        return view! { <Fault problem/> }.into_any();
    }
    // A form waits for a proof of who sent it.
    if let Some(confirming) = use_context::<Confirming>() {
        return view! { <ConfirmPage confirming/> }.into_any();
    }
    view! {
        <Router>
            <Routes fallback=NotFound>
                <Route path=path!("/oauth/consent/:id") view=ConsentPage ssr=SsrMode::Async/>
                <Route path=path!("/oauth/confirm") view=ProveAnewPage ssr=SsrMode::Async/>
                <Route path=path!("/setup") view=Setup ssr=SsrMode::Async/>
                <Route path=path!("/login") view=Login ssr=SsrMode::Async/>
                <Route path=path!("/login/2fa") view=SecondStepPage ssr=SsrMode::Async/>
                <Route path=path!("/reset") view=ResetPage ssr=SsrMode::Async/>
                <Route path=path!("/forgot") view=ForgotPage ssr=SsrMode::Async/>
                <Route path=path!("/email") view=EmailLinkPage ssr=SsrMode::Async/>
                <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async/>
                <Route path=path!("/account/email") view=EmailPage ssr=SsrMode::Async/>
                <Route path=path!("/account/two-factor") view=TwoFactorPage ssr=SsrMode::Async/>
                <Route path=path!("/account/sessions") view=SessionsPage ssr=SsrMode::Async/>
                <Route path=path!("/keys") view=KeyList ssr=SsrMode::Async/>
                <Route path=path!("/keys/new") view=NewKey ssr=SsrMode::Async/>
                <Route path=path!("/keys/revoke") view=KeyBulkRevoke ssr=SsrMode::Async/>
                <Route path=path!("/keys/:id") view=KeyDetail ssr=SsrMode::Async/>
                <Route path=path!("/keys/:id/edit") view=KeyEdit ssr=SsrMode::Async/>
                <Route path=path!("/keys/:id/rotate") view=KeyRotate ssr=SsrMode::Async/>
                <Route path=path!("/keys/:id/retire") view=KeyRetire ssr=SsrMode::Async/>
                <Route path=path!("/keys/:id/revoke") view=KeyRevoke ssr=SsrMode::Async/>
                <Route path=path!("/apps") view=AppList ssr=SsrMode::Async/>
                <Route path=path!("/apps/new") view=NewApp ssr=SsrMode::Async/>
                <Route path=path!("/apps/:id") view=AppDetail ssr=SsrMode::Async/>
                <Route path=path!("/apps/:id/edit") view=AppEdit ssr=SsrMode::Async/>
                <Route path=path!("/apps/:id/rotate") view=AppRotate ssr=SsrMode::Async/>
                <Route path=path!("/apps/:id/logo") view=AppLogo ssr=SsrMode::Async/>
                <Route path=path!("/apps/:id/try") view=TryPage ssr=SsrMode::Async/>
                <Route path=path!("/grants") view=GrantsPage ssr=SsrMode::Async/>
                <Route path=path!("/") view=Overview ssr=SsrMode::Async/>
                <Route path=path!("/usage") view=Usage ssr=SsrMode::Async/>
                <Route path=path!("/usage/:id") view=UsageEventPage ssr=SsrMode::Async/>
                <Route path=path!("/audit") view=Audit ssr=SsrMode::Async/>
                <Route path=path!("/leaks") view=LeakDesk ssr=SsrMode::Async/>
                <Route path=path!("/leaks/:id") view=LeakReportPage ssr=SsrMode::Async/>
                <Route path=path!("/settings/scopes") view=ScopesPage ssr=SsrMode::Async/>
                <Route path=path!("/settings/allowlist") view=AllowlistPage ssr=SsrMode::Async/>
                <Route path=path!("/settings/policies") view=PoliciesPage ssr=SsrMode::Async/>
                <Route path=path!("/settings/tenant") view=TenantPage ssr=SsrMode::Async/>
                <Route path=path!("/members") view=MembersPage ssr=SsrMode::Async/>
                <Route path=path!("/members/:id") view=MemberPage ssr=SsrMode::Async/>
                <Route path=path!("/invitations/accept") view=AcceptPage ssr=SsrMode::Async/>
                <Route path=path!("/tenants") view=TenantsPage ssr=SsrMode::Async/>
                <Route path=path!("/platform/plans") view=PlansPage ssr=SsrMode::Async/>
                <Route path=path!("/platform/tenants") view=PlatformTenantsPage ssr=SsrMode::Async/>
                <Route path=path!("/platform/tenants/:id") view=PlatformTenantPage ssr=SsrMode::Async/>
                <Route path=path!("/platform/recovery") view=RecoveryPage ssr=SsrMode::Async/>
                <Route path=path!("/platform/mails") view=PlatformMailsPage ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
    .into_any()
}
