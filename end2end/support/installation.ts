/** Keystead as an operator runs it: a data directory, commands, a server process on a port of its own. */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type Database = 'sqlite' | 'postgres';

export const OWNER = { tenant: 'Acme', email: 'owner@acme.test', password: 'gravel orbit lantern seven' };

const binary = resolve(process.env.KEYSTEAD_BIN ?? join(import.meta.dirname, '../../target/debug/keystead'));

/** What `keystead bootstrap --json` prints. */
export type Bootstrapped = { tenant_id: string; user_id: string; api_key: string; gateway_key: string };

export type Ran = { code: number; stdout: string; stderr: string };

/** Runs a command to its end. */
export function run(command: string, args: string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ran> {
  return new Promise((done, failed) => {
    const child = execFile(command, args, { env: { ...process.env, ...options.env } }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') failed(error);
      else done({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
    // A command that reads nothing may be gone before this is written.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}

/** An installation's data: a directory, and on PostgreSQL a database too. Can be copied, so that tests start fast. */
export class Installation {
  private constructor(
    readonly dir: string,
    readonly database: Database,
    private readonly name: string,
    readonly keys: Bootstrapped | null,
  ) {}

  private static made = 0;

  private static async blank(database: Database): Promise<{ dir: string; name: string }> {
    const dir = await mkdtemp(join(tmpdir(), 'keystead-e2e-'));
    return { dir, name: `e2e_${process.pid}_${Date.now()}_${Installation.made++}` };
  }

  /** Nothing but a place. */
  static async empty(database: Database): Promise<Installation> {
    const { dir, name } = await Installation.blank(database);
    if (database === 'postgres') await sql(`CREATE DATABASE ${name}`);
    return new Installation(dir, database, name, null);
  }

  /** The first tenant, its owner and two keys. */
  static async bootstrapped(database: Database): Promise<Installation> {
    const bare = await Installation.empty(database);
    const args = ['bootstrap', '--tenant', OWNER.tenant, '--email', OWNER.email, '--password-stdin', '--json'];
    const ran = await bare.keystead(args, `${OWNER.password}\n`);
    if (ran.code !== 0) throw new Error(`bootstrap failed: ${ran.stderr}`);
    return new Installation(bare.dir, database, bare.name, JSON.parse(ran.stdout));
  }

  /** The same again, with a life of its own. Nothing may run on the original. */
  async copy(): Promise<Installation> {
    const { dir, name } = await Installation.blank(this.database);
    await cp(this.dir, dir, { recursive: true });
    if (this.database === 'postgres') await sql(`CREATE DATABASE ${name} TEMPLATE ${this.name}`);
    return new Installation(dir, this.database, name, this.keys);
  }

  private env(): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = { KEYSTEAD_DATA_DIR: this.dir };
    if (this.database === 'postgres') env.KEYSTEAD_DATABASE_URL = `${postgres()}/${this.name}`;
    return env;
  }

  /** `keystead …` in a process of its own. */
  keystead(args: string[], input?: string): Promise<Ran> {
    return run(binary, args, { input, env: this.env() });
  }

  /** `keystead serve` on a free port. */
  serve(args: string[] = []): Promise<Server> {
    return Server.start(this, binary, [...args, '--bind', '127.0.0.1:0', 'serve'], { ...process.env, ...this.env() });
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
    if (this.database === 'postgres') await sql(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }
}

/** A running server. */
export class Server {
  private constructor(
    readonly installation: Installation,
    private readonly child: ChildProcess,
    /** Where it is reached, as browsers and the printed commands name it. */
    readonly url: string,
    /** Everything it printed while starting. */
    readonly printed: string,
  ) {}

  static start(installation: Installation, command: string, args: string[], env: NodeJS.ProcessEnv): Promise<Server> {
    return new Promise((done, failed) => {
      const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      let printed = '';
      let log = '';
      const late = setTimeout(() => failed(new Error(`the server did not start:\n${printed}${log}`)), 20_000);
      child.stderr.on('data', (data) => (log += data));
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`the server ended with ${code}:\n${log}`)));
      child.stdout.on('data', (data) => {
        printed += data;
        const port = /Keystead listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
        const whole = installation.keys !== null || printed.includes('Set it up once');
        if (port && whole) {
          clearTimeout(late);
          done(new Server(installation, child, `http://localhost:${port}`, printed));
        }
      });
    });
  }

  /** The one-time link of an installation without people. */
  get setupLink(): string {
    const link = /^Set it up once, within a day: (\S+)$/m.exec(this.printed)?.[1];
    if (!link) throw new Error(`no setup link was printed:\n${this.printed}`);
    return link;
  }

  get keys(): Bootstrapped {
    if (!this.installation.keys) throw new Error('this installation was not bootstrapped');
    return this.installation.keys;
  }

  /** Ends the process at once; nothing of it needs to be kept. */
  stop(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Ends the process as an operator does: everything it has accepted is written. */
  drain(): Promise<void> {
    return this.end('SIGTERM');
  }

  private end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return Promise.resolve();
    return new Promise((done) => {
      this.child.once('exit', () => done());
      this.child.kill(signal);
    });
  }
}

function postgres(): string {
  const url = process.env.KEYSTEAD_TEST_POSTGRES_URL;
  if (!url) throw new Error('KEYSTEAD_TEST_POSTGRES_URL is not set');
  return url.replace(/\/$/, '');
}

async function sql(statement: string): Promise<void> {
  const ran = await run('psql', [`${postgres()}/postgres`, '-qX', '-v', 'ON_ERROR_STOP=1', '-c', statement]);
  if (ran.code !== 0) throw new Error(`${statement}: ${ran.stderr}`);
}
