//! What the browser and outside clients of Keystead may know: typed ids, scopes, error codes, request and
//! response types. It compiles to WebAssembly and does no I/O.
//!
//! Invariants:
//! - A value of a type with private fields has been parsed: [`KeyName`], [`Scope`], [`AllowedIp`] and the ids
//!   cannot hold anything their `parse` refuses, and serde goes through the same parser.
//! - No type of this crate holds a stored secret. [`Secret`] carries a secret that was just made, once.

mod account;
mod app;
mod audit;
mod credential;
mod decision;
mod id;
mod impact;
mod key;
mod key_act;
mod key_body;
mod key_form;
mod key_query;
mod leak;
mod login;
mod member;
mod net;
mod origin;
mod page;
mod password;
mod plan;
mod policy;
mod problem;
mod role;
#[cfg(feature = "openapi")]
mod schema;
mod scope;
mod secret;
mod support;
mod tenant;
mod text;
mod time;
mod trace;
mod usage;

pub use account::{
    ChangeEmailForm, ChangePasswordForm, Chrome, CodeForm, ConfirmForm, EmailChange, EmailLinkForm, Enrolment, ForgotForm, Prefs,
    RecoveryCodes, ResetForm, SessionSeen, SetupForm, SignInForm, SignInStep, Theme, TwoFactorState,
};
pub use app::{
    App, AppForm, AppKind, AppSecret, AppState, AppTerms, AuthMethod, Consent, ConsentForm, ConsentScope, CreateApp, CreateAppBody,
    CreatedApp, GrantSeen, GrantType, IdTokenAlg, LOGOS, RedirectError, RedirectUri, UpdateAppBody, logo_path,
};
pub use audit::{Actor, ActorKind, AuditEvent, AuditFilter, AuditHead, AuditQuery, Target};
pub use credential::{CredentialKind, Environment, KeyKind, KeyState};
pub use decision::{Code, RateLimitState, Requirement, VerifyRequest, VerifyResponse};
pub use id::{
    AppId, AppSecretId, AuditId, ConsentId, FormId, GrantId, IdError, InvitationId, KeyId, LeakId, LoginId, MailId, OutboxId, SecretId,
    SupportId, TenantId, TokenId, UsageId, UserId,
};
pub use impact::{Advice, CallerSeen, Change, Cockpit, GrantUse, Impact, SecretUse};
pub use key::{ApiKey, CreateKey, CreatedKey, KeyFilter, KeyImpact, RateLimit, RevokeForm, UpdateKey};
pub use key_act::{BulkRevokeForm, KeyAct, RotateForm};
pub use key_body::{
    BulkRevokeBody, CreateKeyBody, EmptyBody, ImportKey, ImportKeyBody, ReasonBody, RotateBody, UpdateKeyBody, read_ips, read_reason,
};
pub use key_form::{CUSTOM, Expiry, KeyForm};
pub use key_query::{KeyCursor, KeyPage, KeyQueue, KeyQueueHead, KeySearch, KeySecret, KeySort, OwnerRef};
pub use leak::{
    FoundApp, FoundAppSecret, FoundKey, FoundSecret, FoundTenant, FoundUsage, LeakCaller, LeakDetail, LeakEffect, LeakEvent, LeakFilter,
    LeakLookup, LeakMatch, LeakReport, LeakSource, LeakState, LeakText, LeakedApp, SecretState,
};
pub use login::{LoginBody, LogoutBody, Me, MfaBody, RefreshBody, TokenAnswer, TokenUser};
pub use member::{
    AcceptForm, CreatedInvitation, Invitation, InvitationState, Invite, InviteBody, Member, MemberBody, RecoverForm, Recovery, ResetUrl,
};
pub use net::{AllowedIp, AllowlistBody, IpAllowlist, NetError, normalise, sortable};
pub use origin::{Origin, OriginError};
pub use page::{Cursor, Page, PageQuery};
pub use password::{PASSWORD_MIN, PASSWORD_MIN_WITH_FACTOR, PasswordHint};
pub use plan::{DEFAULT_PLAN, Plan, PlanForm};
pub use policy::{
    AppViolation, ErrorForm, KeyPolicy, KeyRules, Lifetime, Policies, PoliciesBody, PoliciesForm, PolicyReview, TenantSettings, Unenrolled,
    Violation, Violations,
};
pub use problem::{ErrorCode, FieldError, FieldErrors, Problem};
pub use role::{Perm, Role};
pub use scope::{
    BUILT_IN_SCOPES, DEFAULT_CATALOGUE, DescribeScopeBody, Scope, ScopeBody, ScopeDef, ScopeError, ScopePage, ScopeSet, VERBS,
};
pub use secret::Secret;
pub use support::{OpenSupport, SUPPORT_HOURS, SUPPORT_ROLES, SupportAccess, SupportForm, SupportReason};
pub use tenant::{ChangeTenantBody, Membership, Tenant, TenantBody, TenantState};
pub use text::{AppName, Email, KeyName, Slug, TenantName, TextError, counted, shows, thousands};
pub use time::UnixMs;
pub use trace::{Check, CheckName, CheckOutcome, LimitFacts, Policy, Trace};
pub use usage::{Bucket, BucketCount, CodeCount, KeyCount, Outcome, UsageEvent, UsageFilter, UsageQuery, UsageSource, UsageSummary};
