//! The logo, the glyph of a key or an app, and the logos of apps.

use contract::{AppId, KeyId, logo_path};
use leptos::prelude::*;

/// The tally stick: two notched bars, one ink, one petrol.
#[component]
pub fn Logo(
    /// 28 px instead of 14.
    #[prop(optional)]
    large: bool,
) -> impl IntoView {
    view! {
        <svg class=if large { "logo logo--lg" } else { "logo" } viewBox="3 1 14 18" aria-hidden="true">
            <path class="a" d="M3 1h6v3L7 5.5 9 7v2L7 10.5 9 12v7H3z"></path>
            <path class="b" d="M11 1h6v14h-6v-3l2-1.5L11 9V7l2-1.5L11 4z"></path>
        </svg>
    }
}

/// The split tally across the card of setup and sign-in.
#[component]
pub fn Tally() -> impl IntoView {
    view! {
        <svg class="tally" viewBox="0 0 448 16" preserveAspectRatio="xMinYMid slice" aria-hidden="true">
            <path class="a" d=tally_half(true)></path>
            <path class="b" d=tally_half(false)></path>
        </svg>
    }
}

/// Where the stick is notched, from the left; both halves share the cuts.
const NOTCHES: [u32; 16] = [20, 42, 56, 90, 112, 126, 176, 190, 204, 254, 276, 290, 324, 368, 382, 420];

fn tally_half(upper: bool) -> String {
    let (start, edge, tip, end) = if upper { ("M0 0V7", 7, 3, "H448V0z") } else { ("M0 16V9", 9, 13, "H448V16z") };
    let mut d = start.to_owned();
    for x in NOTCHES {
        d += &format!("H{x}L{} {tip}L{} {edge}", x + 4, x + 8);
    }
    d.push_str(end);
    d
}

/// What a glyph is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Drawn([u8; 16]);

impl From<KeyId> for Drawn {
    fn from(id: KeyId) -> Self {
        Self(*id.uuid().as_bytes())
    }
}

impl From<AppId> for Drawn {
    fn from(id: AppId) -> Self {
        Self(*id.uuid().as_bytes())
    }
}

/// Five cells notched from the random end of an id, so that a key or an app is recognised at a glance.
#[component]
pub fn Glyph(
    /// Whose.
    #[prop(into)]
    id: Drawn,
    /// 32 px instead of 24.
    #[prop(optional)]
    large: bool,
) -> impl IntoView {
    view! {
        <svg class=if large { "glyph glyph--lg" } else { "glyph" } viewBox="0 0 24 12" aria-hidden="true">
            <path d=notches(&id.0[11..])></path>
        </svg>
    }
}

/// An app as people see it who are asked to trust it: its logo, or the first letter of its name. The name stands beside it.
#[component]
pub fn AppMark(
    /// Its name.
    name: String,
    /// Where its logo is, if it has one.
    logo: Option<String>,
    /// 48 px instead of 24.
    #[prop(optional)]
    large: bool,
) -> impl IntoView {
    let class = if large { "appmark appmark--lg" } else { "appmark" };
    if let Some(src) = logo.as_deref().and_then(logo_path) {
        return view! { <img class=class src=src.to_owned() alt="" width="128" height="128"/> }.into_any();
    }
    let letter = name.chars().find(|c| c.is_alphanumeric()).unwrap_or('·').to_string();
    view! { <span class=format!("{class} appmark--letter") aria-hidden="true">{letter}</span> }.into_any()
}

/// The outline: along the top with notches 0, 3 or 6 deep, back along the bottom with notches 0 or 3 deep.
fn notches(bytes: &[u8]) -> String {
    let cells = || bytes.iter().take(5).zip([3_u8, 7, 11, 15, 19]);
    let mut d = "M0 1L1 0".to_owned();
    for (byte, x) in cells() {
        d += &format!("H{x}V{}H{}V0", byte % 3 * 3, x + 2);
    }
    d.push_str("H23L24 1V11L23 12");
    for (byte, x) in cells().collect::<Vec<_>>().into_iter().rev() {
        d += &format!("H{}V{}H{x}V12", x + 2, 12 - byte / 3 % 2 * 3);
    }
    d.push_str("H1L0 11z");
    d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glyph_is_drawn_from_the_bytes_alone() {
        assert_eq!(notches(&[0; 5]), notches(&[6; 5]), "equal remainders draw the same cell");
        assert_ne!(notches(&[1; 5]), notches(&[2; 5]));
        assert!(notches(&[5, 4, 3, 2, 1]).starts_with("M0 1L1 0H3V6H5V0H7V3H9V0"));
    }
}
