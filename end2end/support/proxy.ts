/** Servers of the tests' own: a slow way to Keystead, and another site. */

import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Running = { url: string; port: number; close: () => Promise<void> };
export type Slowed = Running & { posts: () => number };

async function listen(server: Server): Promise<Running> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { url: `http://localhost:${port}`, port, close };
}

/** The same server, whose answers to forms take `ms` longer. The client's hanging up does not reach it. */
export async function slowed(target: string, ms: number): Promise<Slowed> {
  let posts = 0;
  const running = await listen(
    createServer((req, res) => {
      if (req.method === 'POST') posts++;
      const forward = request(target + req.url, { method: req.method, headers: req.headers }, (answer) => {
        setTimeout(
          () => {
            res.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(res);
          },
          req.method === 'POST' ? ms : 0,
        );
      });
      forward.on('error', () => res.destroy());
      req.pipe(forward);
    }),
  );
  return { ...running, posts: () => posts };
}

/** Another site, with one page at every address. */
export function site(html: string): Promise<Running> {
  return listen(
    createServer((_, res) => {
      res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      res.end(html);
    }),
  );
}
