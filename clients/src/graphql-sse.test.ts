import assert from 'node:assert/strict';
import { test } from 'node:test';

import { print } from 'graphql';
import { createClient } from 'graphql-sse';

import { CHANGES, PREFERENCES, SAVE } from './operations.js';
import { next, signedIn, url } from './server.js';

test('graphql-sse: queries, mutations and events, each on a connection of its own', async () => {
  const client = createClient({ url, headers: await signedIn('alice') });
  const events = client.iterate({ query: print(CHANGES) });
  await next(events, ({ data }) => data !== undefined);

  const save = (targets: object[]) =>
    next(
      client.iterate({ query: print(SAVE), variables: { input: { targets } } }),
      ({ data }) => data !== undefined,
    );
  await save([]);
  await save([{ personal: 'VIEWER' }]);
  await next(events, (event) => JSON.stringify(event).includes('"enabled":true'));
  const { data } = await next(client.iterate({ query: print(PREFERENCES) }), () => true);

  assert.ok(data);
  await events.return?.();
  client.dispose();
});

test('graphql-sse: a document that is wrong is told with its errors', async () => {
  const client = createClient({ url });

  const { errors } = await next(client.iterate({ query: '{ nothing }' }), () => true);

  assert.equal(errors?.[0]?.extensions['code'], 'GRAPHQL_VALIDATION_FAILED');
  client.dispose();
});
