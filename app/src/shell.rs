//! The HTML document around the console, as the server writes it.

use crate::{
    App,
    ssr::{Assets, Browser},
};
use leptos::prelude::*;
use leptos_meta::MetaTags;

/// The document. Its script carries the nonce of the response's policy: it starts the WebAssembly, then each island
/// by the function of its name, and says on `<html>` when all of them are ready.
pub fn shell(assets: Assets) -> impl IntoView {
    // Outside islands nothing is hydrated, so nothing is serialised for it.
    if let Some(shared) = Owner::current_shared_context() {
        shared.set_is_hydrating(false);
    }
    let nonce = use_nonce();
    // The theme is known before the first paint, so nothing flashes.
    let theme = use_context::<Browser>().and_then(|b| b.prefs.theme).map(contract::Theme::as_str);
    let script = format!(
        "import init,*as page from '{js}';init({{module_or_path:'{wasm}'}}).then(()=>{{page.start();\
         for(const e of document.querySelectorAll('leptos-island'))page[e.dataset.component](e);\
         document.documentElement.dataset.hydrated='1'}});",
        js = assets.js,
        wasm = assets.wasm,
    );
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="description" content="The console of Keystead: API keys, tokens and apps, who holds them, and what they were used for."/>
                <meta name="color-scheme" content=theme.unwrap_or("light dark")/>
                <link rel="icon" type="image/svg+xml" href="/pkg/assets/favicon.svg"/>
                <link rel="stylesheet" href=assets.css/>
                <link rel="preload" href="/pkg/assets/geist.woff2" r#as="font" r#type="font/woff2" crossorigin="anonymous"/>
                <link rel="modulepreload" href=assets.js nonce=nonce.clone()/>
                <link rel="preload" href=assets.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <script type="module" nonce=nonce>{script}</script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
