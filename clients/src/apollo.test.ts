import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import type { Observable } from 'rxjs';

import possible from './gql/possible-types.js';
import { CHANGES, PREFERENCES, SAVE, TARGETS } from './operations.js';
import { next, signedIn, url } from './server.js';

/** Nothing is configured but the generated possible types. */
async function clientOf(name: string) {
  return new ApolloClient({
    link: new HttpLink({ uri: url, headers: await signedIn(name) }),
    cache: new InMemoryCache({ possibleTypes: possible.possibleTypes }),
  });
}

test('Apollo Client: a switch over the union is exhaustive', async () => {
  const client = await clientOf('alice');

  const { data } = await client.query({ query: TARGETS });

  assert.ok(data);
  const kinds = data.linkedInTargets.map((target) => {
    switch (target.__typename) {
      case 'Personal':
        return target.label;
      case 'OrgPage':
        return `${target.pageId} ${target.organization?.name}`;
      case 'PersonalPage':
        return `${target.personalPageId} ${target.lastSyncedAt}`;
      default:
        return target satisfies never;
    }
  });
  assert.ok(kinds.length > 1);
});

test('Apollo Client: the answer of a save updates what is shown', async () => {
  const client = await clientOf('alice');
  const { data } = await client.query({ query: PREFERENCES });
  const before = data!.linkedInPostingPreferences.targets.map(({ enabled }) => enabled);

  const saved = await client.mutate({
    mutation: SAVE,
    variables: { input: { targets: before.some(Boolean) ? [] : [{ personal: 'VIEWER' }] } },
  });

  assert.equal(
    saved.data?.setLinkedInPostingPreferences?.__typename,
    'SetLinkedInPostingPreferencesSuccess',
  );
  const shown = client.readQuery({ query: PREFERENCES });
  const after = shown!.linkedInPostingPreferences.targets.map(({ enabled }) => enabled);
  assert.notDeepEqual(after, before);
});

test('Apollo Client: an event updates what is shown, without a link for subscriptions', async () => {
  const [watching, saving] = [await clientOf('alice'), await clientOf('alice')];
  await watching.query({ query: PREFERENCES });
  const events = iterate(watching.subscribe({ query: CHANGES }));
  await next(events, ({ data }) => data?.linkedInPostingPreferencesChanged.reason === 'PRESENT_STATE');

  // Whatever was saved before, one of them is a change.
  for (const targets of [[], [{ personal: 'VIEWER' as const }]]) {
    await saving.mutate({ mutation: SAVE, variables: { input: { targets } } });
  }
  await next(events, () => {
    const shown = watching.readQuery({ query: PREFERENCES });
    return shown!.linkedInPostingPreferences.targets.filter(({ enabled }) => enabled).length === 1;
  });

  await events.return?.();
});

/** What an observable sends, to be awaited. */
function iterate<T>(observable: Observable<T>): AsyncIterator<T> {
  const values: T[] = [];
  let wake = () => {};
  let failure: unknown;
  const subscription = observable.subscribe({
    next(value) {
      values.push(value);
      wake();
    },
    error(cause) {
      failure = cause;
      wake();
    },
  });
  return {
    async next() {
      while (values.length === 0) {
        if (failure) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return { value: values.shift()!, done: false };
    },
    async return() {
      subscription.unsubscribe();
      return { value: undefined, done: true };
    },
  };
}
