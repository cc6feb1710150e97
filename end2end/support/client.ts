/** Programs beside the browser: an API client, and a person's session without one, to prepare what a test is about. */

import type { BrowserContext } from '@playwright/test';
import { randomBytes } from 'node:crypto';
import { OWNER, type Server } from './installation';

/** The whole secret of an app that stands in a text. */
export function appSecretIn(text: string): string | undefined {
  return /\bkss_[0-9A-Za-z]{49}/.exec(text)?.[0];
}

/** What `POST /v1/verify` is asked. */
export type Question = {
  credential: string;
  scopes?: string[];
  ip?: string;
  environment?: 'live' | 'test';
  method?: string;
  path?: string;
  user_agent?: string;
};

/** The API as a service calls it. */
export class Api {
  constructor(private readonly server: Server) {}

  /** `GET /v1/auth/test` with a key. */
  async test(key: string, requestId?: string): Promise<{ status: number; body: any }> {
    const headers: Record<string, string> = { authorization: `Bearer ${key}` };
    if (requestId) headers['x-request-id'] = requestId;
    const res = await fetch(`${this.server.url}/v1/auth/test`, { headers });
    return { status: res.status, body: await res.json() };
  }

  /** `POST /v1/verify` as the gateway; answers the code. */
  async verify(question: Question, requestId?: string): Promise<string> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.server.keys.gateway_key}`, 'content-type': 'application/json' };
    if (requestId) headers['x-request-id'] = requestId;
    const res = await fetch(`${this.server.url}/v1/verify`, { method: 'POST', headers, body: JSON.stringify(question) });
    if (res.status !== 200) throw new Error(`verify answered ${res.status}: ${await res.text()}`);
    return ((await res.json()) as { code: string }).code;
  }
}

/** The create form; what is left out has the form's own default. */
export type KeyFields = {
  name: string;
  environment?: 'live' | 'test';
  kind?: 'secret' | 'restricted' | 'tenant' | 'gateway';
  scopes?: string;
  expires?: '7' | '30' | '90' | 'custom' | 'never';
  expires_at?: string;
  allowed_ips?: string;
  form_id?: string;
};

/** The form that registers an app; what is left out is a confidential one's. */
export type AppFields = {
  name: string;
  kind?: 'confidential' | 'public' | 'machine';
  redirect_uris?: string;
  scopes?: string;
  home_page?: string;
  any_tenant?: 'true';
};

export type MadeApp = { id: string; name: string; secret?: string };

export type MadeKey = { id: string; name: string; secret: string };

/** The owner's session, driven by plain requests, as a browser without script would send them. */
export class Session {
  private constructor(
    private readonly server: Server,
    private cookie: string,
  ) {}

  static async signIn(server: Server): Promise<Session> {
    const session = new Session(server, '');
    const res = await session.post('/login', { email: OWNER.email, password: OWNER.password, next: '' });
    const cookie = res.headers.getSetCookie().find((c) => c.startsWith('keystead='));
    if (!cookie) throw new Error(`sign-in answered ${res.status} and no session`);
    session.cookie = cookie.split(';')[0];
    return session;
  }

  /** A session that was seen in a browser. */
  static of(server: Server, value: string): Session {
    return new Session(server, `keystead=${value}`);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.server.url + path, { headers: { cookie: this.cookie, accept: 'text/html', ...headers }, redirect: 'manual' });
  }

  post(path: string, fields: Record<string, string> | [string, string][]): Promise<Response> {
    return fetch(this.server.url + path, {
      method: 'POST',
      headers: { cookie: this.cookie, origin: this.server.url, accept: 'text/html' },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    });
  }

  /** Takes a browser's context into this session. */
  async enter(context: BrowserContext): Promise<void> {
    const value = this.cookie.replace('keystead=', '');
    await context.addCookies([{ name: 'keystead', value, url: this.server.url, httpOnly: true, sameSite: 'Lax' }]);
  }

  /** Makes a key by the create form. */
  async createKey(fields: KeyFields): Promise<MadeKey> {
    const form = {
      form_id: `form_${randomBytes(16).toString('hex')}`,
      environment: 'live',
      kind: 'secret',
      more_scopes: fields.scopes ?? 'read',
      expires: '90',
      expires_at: '',
      allowed_ips: '',
      ...fields,
    };
    const { scopes: _, ...posted } = form;
    const res = await this.post('/keys/new', posted);
    const html = await res.text();
    const secret = /\b(?:sk|rk|tk|gk)_(?:[a-z0-9-]+_)?[0-9A-Za-z]{38,}\b/.exec(html)?.[0];
    const id = /\/keys\/(key_[0-9a-f]{32})/.exec(html)?.[1];
    if (res.status !== 200 || !secret || !id) throw new Error(`creating ${fields.name} answered ${res.status}: ${html.slice(0, 400)}`);
    return { id, name: fields.name, secret };
  }

  /** Registers an app by its form. */
  async registerApp(fields: AppFields): Promise<MadeApp> {
    const form = {
      form_id: `form_${randomBytes(16).toString('hex')}`,
      kind: 'confidential',
      redirect_uris: 'https://ledger.example/callback',
      more_scopes: fields.scopes ?? 'openid email users:read',
      require_pkce: 'true',
      always_refresh: 'true',
      allow_client_jwts: 'true',
      access_token_seconds: '3600',
      refresh_token_days: '90',
      ...fields,
    };
    const { scopes: _, ...posted } = form;
    const res = await this.post('/apps/new', posted);
    const html = await res.text();
    const id = /\/apps\/(app_[0-9a-f]{32})/.exec(res.headers.get('location') ?? html)?.[1];
    const secret = appSecretIn(html);
    if (!id || (form.kind !== 'public' && !secret)) throw new Error(`registering ${fields.name} answered ${res.status}: ${html.slice(0, 400)}`);
    return { id, name: fields.name, secret };
  }

  /** Gives an app a logo. */
  async setLogo(app: MadeApp, picture: Buffer): Promise<void> {
    const body = new FormData();
    body.set('act', 'set');
    body.set('logo', new Blob([new Uint8Array(picture)], { type: 'image/png' }), 'logo.png');
    const headers = { cookie: this.cookie, origin: this.server.url, accept: 'text/html' };
    const res = await fetch(`${this.server.url}/apps/${app.id}/logo`, { method: 'POST', headers, body, redirect: 'manual' });
    if (res.status !== 303) throw new Error(`the logo of ${app.name} was answered ${res.status}`);
  }

  /** Lets an app act for the owner in their tenant. */
  async allow(app: MadeApp, scope: string): Promise<void> {
    const asked = new URLSearchParams({
      client_id: app.id,
      redirect_uri: 'https://ledger.example/callback',
      response_type: 'code',
      state: 'x',
      scope,
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    });
    const begun = await this.get(`/oauth/authorize?${asked}`);
    const path = /\/oauth\/consent\/con_[0-9a-f]{32}/.exec(begun.headers.get('location') ?? '')?.[0];
    if (!path) throw new Error(`asking for ${app.name} answered ${begun.status}: ${(await begun.text()).slice(0, 400)}`);
    const res = await this.post(path, { decision: 'allow', tenant_id: this.server.keys.tenant_id });
    if (!res.headers.get('location')?.includes('code=')) throw new Error(`allowing ${app.name} answered ${res.status}`);
  }

  /** Invites somebody; the path of the link. */
  async invite(email: string, role: string): Promise<string> {
    const res = await this.post('/members', { act: 'invite', email, role });
    const link = /\/invitations\/accept\?token=[0-9a-zA-Z_-]+/.exec(await res.text())?.[0];
    if (res.status !== 200 || !link) throw new Error(`inviting ${email} answered ${res.status}`);
    return link;
  }

  /** Revokes a key by its page. */
  async revoke(key: { id: string; name: string }, reason = ''): Promise<void> {
    const res = await this.post(`/keys/${key.id}/revoke`, { reason, confirm: key.name });
    if (res.status !== 303) throw new Error(`revoking ${key.name} answered ${res.status}`);
  }
}
