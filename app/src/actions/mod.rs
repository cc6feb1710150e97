//! Server functions: what the console changes. Each body names the context, calls the domain, maps the error. The
//! page forms run them (`server/src/http/console/forms.rs`), and they answer fetch at `/api/…`. Pages read from the
//! domain without one.
#![expect(missing_docs, reason = "the fields of the structs that `#[server]` makes are the functions' arguments")]

mod account;
mod apps;
mod desk;
mod keys;
mod people;
mod settings;
mod tenants;

pub use account::{
    AccountForm, AnswerEmailLink, BeginTwoFactor, ChangeEmail, ChangePassword, Confirm, EndOtherSessions, EndSession, ForgotPassword,
    NewRecoveryCodes, ResetPassword, SecondStep, SetUp, SignIn, SignOut, TurnOffTwoFactor, TurnOnTwoFactor, answer_email_link,
    begin_two_factor, change_email, change_password, confirm, end_other_sessions, end_session, forgot_password, new_recovery_codes,
    reset_password, second_step, set_up, sign_in, sign_out, turn_off_two_factor, turn_on_two_factor,
};
pub use apps::{
    AppAct, CreateApp, DeleteApp, EditApp, GrantForm, LogoForm, RemoveAppLogo, ResumeApp, RevokeGrant, RotateAppSecret, SetAppLogo,
    SuspendApp, TryApp, TryForm, create_app, delete_app, edit_app, find_app, remove_app_logo, resume_app, revoke_grant, rotate_app_secret,
    set_app_logo, suspend_app, try_app,
};
pub use desk::{
    CloseLeak, DeskForm, EndAppSecret, LookUp, NotifyLeak, ReportForm, ReportLeak, RevokeLeaked, close_leak, end_app_secret, look_up,
    notify_leak, report_leak, revoke_leaked,
};
pub use keys::{
    ActOnKey, CreateKey, EditKey, RetireKey, RevokeKey, RevokeKeys, RotateKey, act_on_key, create_key, edit_key, retire_key, revoke_key,
    revoke_keys, rotate_key,
};
pub use people::{
    AcceptInvitation, ChangeRole, EndMemberSessions, Invite, InviteForm, MemberForm, RecoverAccount, RecoverMember, RemoveMember,
    SetAccount, TransferOwnership, WithdrawInvitation, accept_invitation, change_role, end_member_sessions, invite, recover_account,
    recover_member, remove_member, set_account, transfer_ownership, withdraw_invitation,
};
pub use settings::{
    AddScope, AllowlistForm, DeleteScope, DescribeScope, ScopeForm, SetAllowlist, SetPolicies, add_scope, delete_scope, describe_scope,
    set_allowlist, set_policies,
};
pub use tenants::{
    ActOnTenant, CreateTenant, DeleteTenant, EndOwnSupport, EndSupport, LeaveTenant, OpenSupport, OwnTenantForm, PlatformForm,
    RenameTenant, RetryMail, SavePlan, SwitchTenant, TenantsForm, act_on_tenant, create_tenant, delete_tenant, end_own_support,
    end_support, leave_tenant, open_support, rename_tenant, retry_mail, save_plan, switch_tenant,
};
