//! Schemas of the types that are a string on the wire, for the server's OpenAPI document.

use crate::{
    AllowedIp, AppId, AppName, AppSecretId, AuditId, Change, Cursor, Email, FormId, GrantId, InvitationId, KeyCursor, KeyId, KeyName,
    LeakId, MailId, Origin, OutboxId, RedirectUri, Scope, SecretId, Slug, TenantId, TenantName, UnixMs, UsageId, UserId,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

/// A string that the parser of its type narrows.
macro_rules! strings {
    ($($name:ident: $build:expr;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let build: fn(ObjectBuilder) -> ObjectBuilder = $build;
                build(ObjectBuilder::new().schema_type(Type::String)).into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

macro_rules! ids {
    ($($name:ident: $about:literal;)*) => {
        strings! { $($name: |s| s.description(Some($about)).pattern(Some(format!("^{}[0-9a-f]{{32}}$", $name::PREFIX)))
            .examples([serde_json::json!(format!("{}0199f3a2c41d7be08f6a5d3c2b1a0f9e", $name::PREFIX))]);)* }
    };
}

ids! {
    TenantId: "A tenant.";
    UserId: "A person.";
    KeyId: "An API key; it outlives its secrets.";
    SecretId: "One secret of an API key.";
    UsageId: "One decided request.";
    AuditId: "One recorded change.";
    OutboxId: "One event that waits to be delivered.";
    MailId: "One mail that waits to be sent.";
    FormId: "A single-use form.";
    LeakId: "One report of a leaked key.";
    InvitationId: "Somebody who was asked to join.";
    AppId: "An OAuth app: its `client_id`.";
    AppSecretId: "One secret of an OAuth app.";
    GrantId: "What a person allowed an OAuth app.";
}

strings! {
    Scope: |s| s
        .description(Some("A permission: a verb, or `resource:verb` in either order."))
        .pattern(Some("^[a-z0-9._-]{1,64}(:[a-z0-9._-]{1,64})?$"))
        .examples([serde_json::json!("users:read")]);
    AllowedIp: |s| s
        .description(Some("An address, or a network in CIDR form without bits behind its prefix."))
        .examples([serde_json::json!("203.0.113.0/24")]);
    RedirectUri: |s| s
        .max_length(Some(2_000))
        .description(Some("https, or http on the device itself, or a scheme of the app's own that contains a dot. Compared byte for byte."))
        .examples([serde_json::json!("https://app.example.com/callback")]);
    Origin: |s| s
        .description(Some("Scheme, host and port as browsers write them: https, or http on a loopback host."))
        .examples([serde_json::json!("https://app.example.com")]);
    UnixMs: |s| s.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).description(Some("RFC 3339, to the millisecond."));
    AppName: |s| s.min_length(Some(1)).max_length(Some(100)).description(Some("What people are asked to allow; one line."));
    KeyName: |s| s.min_length(Some(1)).max_length(Some(100)).description(Some("What calls with the key; one line."))
        .examples([serde_json::json!("nightly-export")]);
    TenantName: |s| s.min_length(Some(1)).max_length(Some(100));
    Slug: |s| s.pattern(Some("^[a-z0-9]+(-[a-z0-9]+)*$")).max_length(Some(24));
    Email: |s| s.max_length(Some(254));
    Cursor: |s| s.description(Some("`next_cursor` of the page before."));
    KeyCursor: |s| s.description(Some("`next_cursor` of the page before, in the same order."));
    Change: |s| s
        .description(Some("`revoke`, `scopes:a,b` or `allowed_ips:a,b`."))
        .examples([serde_json::json!("revoke")]);
}
