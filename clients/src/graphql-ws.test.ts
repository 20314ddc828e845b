import assert from 'node:assert/strict';
import { test } from 'node:test';

import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

import { CHANGES, PREFERENCES, SAVE } from './operations.js';
import { next, signedIn, webSocketUrl } from './server.js';

test('graphql-ws: queries, mutations and events on one socket', async () => {
  const headers = await signedIn('alice');
  const client = createClient({
    url: webSocketUrl,
    webSocketImpl: class extends WebSocket {
      constructor(address: string, protocols?: string | string[]) {
        super(address, protocols, { headers });
      }
    },
  });
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
  await client.dispose();
});

test('graphql-ws: a document that is wrong fails alone', async () => {
  const client = createClient({ url: webSocketUrl, webSocketImpl: WebSocket });

  const wrong = next(client.iterate({ query: '{ nothing }' }), () => true);
  await assert.rejects(wrong, (errors: unknown) => {
    assert.ok(Array.isArray(errors));
    assert.equal(errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
    return true;
  });
  const right = await next(client.iterate({ query: '{ __typename }' }), () => true);

  assert.deepEqual(right, { data: { __typename: 'Query' } });
  await client.dispose();
});
