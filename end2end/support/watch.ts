/** Listens to what a browser complains about. A page that works has nothing to say. */

import { expect, type BrowserContext } from '@playwright/test';

export class Watch {
  private readonly said: string[] = [];
  private readonly expected: RegExp[] = [];

  constructor(context: BrowserContext, js: boolean) {
    // Without script nothing asks for what was preloaded for it.
    if (!js) this.expected.push(/^warning: The resource \S+_bg\.wasm was preloaded using link preload but not used/);
    context.on('console', (message) => {
      // Errors of scripts, hydration mismatches and breaches of the content policy all arrive here.
      if (message.type() === 'error' || message.type() === 'warning') {
        this.said.push(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    context.on('weberror', (error) => this.said.push(`uncaught: ${error.error().stack ?? error.error()}`));
  }

  /** The browser itself notes answers of 400 and above; these are part of the test. */
  expectStatus(...statuses: number[]): void {
    for (const status of statuses) {
      this.expected.push(new RegExp(`^error: Failed to load resource: the server responded with a status of ${status} `));
    }
  }

  /** A page that frames the console, which the console's policy forbids. */
  expectFrameRefusal(): void {
    this.expected.push(/^error: (Refused to frame|Framing) '?http:\/\/localhost:\d+\/.*frame-ancestors 'none'/);
  }

  /** Fails when anything else was said. */
  quiet(): void {
    const loud = this.said.filter((line) => !this.expected.some((e) => e.test(line)));
    expect(loud, 'the browser complained').toEqual([]);
  }
}
