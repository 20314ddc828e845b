import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClient } from 'graphql-sse';
import {
  Environment,
  Network,
  Observable,
  RecordSource,
  Store,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  requestSubscription,
  type GraphQLResponse,
} from 'relay-runtime';

import mutation, { type composerMutation } from './relay/__generated__/composerMutation.graphql.js';
import query, { type composerQuery } from './relay/__generated__/composerQuery.graphql.js';
import subscription, {
  type composerSubscription,
} from './relay/__generated__/composerSubscription.graphql.js';
import { signedIn, url } from './server.js';

async function environmentOf(name: string) {
  const headers = await signedIn(name);
  const events = createClient({ url, headers });
  return new Environment({
    store: new Store(new RecordSource()),
    network: Network.create(
      async ({ text }, variables) => {
        const answer = await fetch(url, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ query: text, variables }),
        });
        return answer.json();
      },
      ({ text }, variables) =>
        Observable.create((sink) =>
          events.subscribe<GraphQLResponse>({ query: text!, variables }, sink as never),
        ),
    ),
  });
}

/** What the store has of the query, without asking the server. */
function shown(environment: Environment) {
  const { data } = environment.lookup(createOperationDescriptor(query, {}).fragment);
  const { linkedInPostingPreferences } = data as composerQuery['response'];
  return linkedInPostingPreferences.targets.filter(({ enabled }) => enabled).length;
}

function save(environment: Environment, targets: composerMutation['variables']['input']['targets']) {
  return new Promise<composerMutation['response']>((onCompleted, onError) => {
    const variables = { input: { targets } };
    commitMutation<composerMutation>(environment, { mutation, variables, onCompleted, onError });
  });
}

test('Relay: the answer of a save, and an event, update the store', async () => {
  const [watching, saving] = [await environmentOf('alice'), await environmentOf('alice')];
  const data = await fetchQuery<composerQuery>(watching, query, {}).toPromise();
  assert.ok(data);
  watching.retain(createOperationDescriptor(query, {}));

  await save(watching, []);
  assert.equal(shown(watching), 0);

  await new Promise<void>((resolve, reject) => {
    const following = requestSubscription<composerSubscription>(watching, {
      subscription,
      variables: {},
      onError: reject,
      onNext(event) {
        if (event?.linkedInPostingPreferencesChanged.reason === 'PRESENT_STATE') {
          save(saving, [{ personal: 'VIEWER' }]).catch(reject);
        } else {
          following.dispose();
          resolve();
        }
      },
    });
  });
  assert.equal(shown(watching), 1);
});
