import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ClientError, GraphQLClient } from 'graphql-request';

import { PREFERENCES, SAVE } from './operations.js';
import { signedIn, url } from './server.js';

test('graphql-request: typed documents are all it takes', async () => {
  const client = new GraphQLClient(url, { headers: await signedIn('alice') });

  const { linkedInPostingPreferences: preferences } = await client.request(PREFERENCES);

  assert.ok(preferences.targets.every(({ target }) => target.label.length > 0));
});

test('graphql-request: a target that is not mine is data', async () => {
  const client = new GraphQLClient(url, { headers: await signedIn('alice') });

  const { setLinkedInPostingPreferences: outcome } = await client.request(SAVE, {
    input: { targets: [{ orgPageId: 'not-mine' }] },
  });

  assert.ok(outcome && 'refusals' in outcome);
  assert.equal(outcome.code, 'TARGETS_UNAVAILABLE');
  assert.deepEqual(
    outcome.refusals.map(({ index, reason }) => [index, reason]),
    [[0, 'ORG_PAGE_NOT_ASSIGNED']],
  );
});

test('graphql-request: an error has a code to branch on', async () => {
  const client = new GraphQLClient(url);

  const refused: unknown = await client.request(PREFERENCES).catch((cause: unknown) => cause);

  assert.ok(refused instanceof ClientError);
  assert.equal(refused.response.errors?.[0]?.extensions['code'], 'UNAUTHENTICATED');
});

test('generated types: a target is exactly one kind', () => {
  const variables = (input: Parameters<typeof accept>[0]) => accept(input);
  variables({ targets: [{ personal: 'VIEWER' }, { orgPageId: 'one' }] });
  // @ts-expect-error Two kinds at once.
  variables({ targets: [{ personal: 'VIEWER', orgPageId: 'one' }] });
  // @ts-expect-error None of them.
  variables({ targets: [{}] });
});

function accept(_: import('./gql/graphql.js').SetLinkedInPostingPreferencesInput) {}
