// What the test gives its program, and the person at the browser: the test itself, which is told on one line what the
// person says and the address they open, and answers on another where the browser was led.
import { createInterface } from 'node:readline';

export const given = JSON.parse(process.argv[2]);

const lines = createInterface({ input: process.stdin });
const answers = lines[Symbol.asyncIterator]();
export const leave = () => lines.close();

export async function visit(url, says = 'allow') {
  process.stdout.write(`${says} ${url}\n`);
  return new URL((await answers.next()).value);
}
