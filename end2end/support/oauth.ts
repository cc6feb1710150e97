/** An OAuth app on an origin of its own, and what it needs to know of the server. */

import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App } from '../fixtures';

/** A page that answers every request, and remembers with what query it was reached. */
export class Callback {
  private constructor(
    private readonly server: HttpServer,
    readonly url: string,
    readonly queries: URLSearchParams[],
  ) {}

  static start(): Promise<Callback> {
    const queries: URLSearchParams[] = [];
    const server = createServer((req, res) => {
      const url = new URL(req.url ?? '/', 'http://callback.test');
      if (url.pathname === '/callback') queries.push(url.searchParams);
      res.writeHead(url.pathname === '/callback' ? 200 : 204, { 'content-type': 'text/html' });
      res.end(url.pathname === '/callback' ? '<!doctype html><html lang="en"><title>App</title><h1>Back at the app</h1></html>' : undefined);
    });
    return new Promise((done) => {
      server.listen(0, '127.0.0.1', () => {
        done(new Callback(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`, queries));
      });
    });
  }

  stop(): Promise<void> {
    return new Promise((done) => this.server.close(() => done()));
  }
}

export type Registered = { client_id: string; client_secret: string };

/** Registers an app over the API. */
export async function register(app: App, fields: Record<string, unknown>): Promise<Registered> {
  const key = app.server.installation.keys!.api_key;
  const made = await fetch(`${app.server.url}/v1/oauth/applications`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify({ name: 'Ledger Sync', scopes: ['openid', 'email', 'users:read', 'offline_access'], ...fields }),
  });
  if (made.status !== 201) throw new Error(await made.text());
  return (await made.json()) as Registered;
}

/** Where the app sends the person. */
export function authorize(client: Registered, redirect: string, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({ client_id: client.client_id, redirect_uri: redirect, response_type: 'code', state: 'xyz', ...more });
  return `/oauth/authorize?${query}`;
}
