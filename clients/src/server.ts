/** The server under test: a demo, and somebody who is signed in there. */

import assert from 'node:assert/strict';

const base = process.env['BASE_URL'];
assert.ok(base, 'BASE_URL must be the address of a demo: `linkedin-targets demo` prints it');

export const url = new URL('/graphql', base).href;
export const webSocketUrl = url.replace(/^http/, 'ws');

/** Headers with a session of this person's, each time a new one. */
export async function signedIn(name: string): Promise<{ cookie: string }> {
  const answer = await fetch(new URL(`/demo/sign-in/${name}`, base), { redirect: 'manual' });
  const [cookie] = answer.headers.getSetCookie();
  assert.ok(cookie, `nobody is called ${name}`);
  return { cookie: cookie.split(';')[0]! };
}

/** The next value that fits; what came before it is dropped. */
export async function next<T>(values: AsyncIterator<T>, fits: (value: T) => boolean): Promise<T> {
  for (;;) {
    const { value, done } = await values.next();
    assert.ok(!done, 'there are no more values');
    if (fits(value)) return value;
  }
}
