//! A form says for which tenant it was made: whoever switched to another one in a second tab sends it there by mistake.

use domain::Ctx;
use leptos::prelude::*;

/// The field of a form that names the tenant it was made for.
pub const IN_TENANT: &str = "in_tenant";

/// Stands in each form that acts on the tenant that is worked in. Sent from within another one, it is refused.
#[component]
pub fn InTenant() -> impl IntoView {
    let tenant = use_context::<Ctx>().and_then(|ctx| ctx.person().map(|p| p.tenant_id));
    tenant.map(|id| view! { <input type="hidden" name=IN_TENANT value=id.to_string()/> })
}
