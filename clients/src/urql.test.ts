import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

import { CHANGES, PREFERENCES, SAVE } from './operations.js';
import { signedIn, url, webSocketUrl } from './server.js';

/** graphcache with nothing but the schema: no keys, resolvers or updates. */
async function clientOf(name: string) {
  const headers = await signedIn(name);
  const sockets = createClient({
    url: webSocketUrl,
    webSocketImpl: class extends WebSocket {
      constructor(address: string, protocols?: string | string[]) {
        super(address, protocols, { headers });
      }
    },
  });
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchOptions: { headers },
    exchanges: [
      cacheExchange({ schema: await introspected(headers) }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: sockets.subscribe({ ...request, query: request.query ?? '' }, sink),
          }),
        }),
      }),
    ],
  });
  return { client, close: () => sockets.dispose() };
}

async function introspected(headers: Record<string, string>): Promise<IntrospectionQuery> {
  const body = JSON.stringify({ query: getIntrospectionQuery() });
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  });
  return (await answer.json()).data;
}

type Shown = { linkedInPostingPreferences: { targets: { enabled: boolean }[] } };

const enabled = (shown: Shown | null | undefined) =>
  shown?.linkedInPostingPreferences.targets.filter((target) => target.enabled).length;

test('urql: the answer of a save, and an event, update what is shown', async () => {
  const [watching, saving] = [await clientOf('alice'), await clientOf('alice')];
  const complaints: unknown[] = [];
  console.warn = console.error = (...words) => complaints.push(words);
  const shown: (number | undefined)[] = [];
  let wake = () => {};
  const query = watching.client.query(PREFERENCES, {}).subscribe(({ data }) => {
    shown.push(enabled(data));
    wake();
  });
  const until = async (count: number) => {
    while (shown.at(-1) !== count) await new Promise<void>((resolve) => (wake = resolve));
  };

  await watching.client.mutation(SAVE, { input: { targets: [] } });
  await until(0);
  let events = 0;
  let begun = () => {};
  const following = watching.client.subscription(CHANGES, {}).subscribe(({ error }) => {
    assert.equal(error, undefined);
    events += 1;
    begun();
  });
  while (events === 0) await new Promise<void>((resolve) => (begun = resolve));
  await saving.client.mutation(SAVE, { input: { targets: [{ personal: 'VIEWER' }] } });
  await until(1);

  query.unsubscribe();
  following.unsubscribe();
  watching.close();
  saving.close();
  assert.deepEqual(complaints, []);
});
