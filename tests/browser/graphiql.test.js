import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertFits, base, brightnessBehind, eventually, PHONE, visitAs } from './visit.js';

const EXAMPLES = {
  MyTargets: 'Acme Corp',
  Picker: 'Acme Labs',
  Preferences: '"reconnectUrl": null',
  SavePreferences: '"enabled": true',
  SyncPages: '"complete": true',
  Follow: '"reason": "PRESENT_STATE"',
  Health: '"status": "ACTIVE"',
  Node: '"node": null',
};

test('a first visit finds the examples, each with a comment that explains it', async () => {
  await visit({}, async (page) => {
    assert.deepEqual(await page.getByRole('tab').allInnerTexts(), Object.keys(EXAMPLES));

    for (const name of Object.keys(EXAMPLES)) {
      await open(page, name);

      assert.match(await operation(page).locator('.view-line').first().innerText(), /^#/);
    }
  });
});

test('every example runs', async () => {
  await visit({}, async (page) => {
    for (const [name, expected] of Object.entries(EXAMPLES)) {
      await open(page, name);
      await page.getByRole('button', { name: 'Execute query' }).click();

      await page.locator('.result-window').filter({ hasText: expected }).waitFor();
      assert.doesNotMatch(await page.locator('.result-window').innerText(), /"errors"/);
      if (name === 'Follow') await page.getByRole('button', { name: 'Stop query' }).click();
    }
  });
});

test('a subscription is live', async () => {
  await visit({}, async (page) => {
    await open(page, 'Follow');
    await page.getByRole('button', { name: 'Execute query' }).click();
    const result = page.locator('.result-window');
    await result.filter({ hasText: '"reason": "PRESENT_STATE"' }).waitFor();

    // Two saves that differ: one of them changes what was there.
    for (const targets of ['[]', '[{ personal: VIEWER }]']) {
      const query = `mutation { setLinkedInPostingPreferences(input: { targets: ${targets} }) { __typename } }`;
      const saved = await page.request.post(`${base}/graphql`, { data: { query } });
      assert.ok(saved.ok());
    }

    await result.filter({ hasText: '"reason": "PREFERENCES_SAVED"' }).waitFor();
    await page.getByRole('button', { name: 'Stop query' }).click();
    await page.getByRole('button', { name: 'Execute query' }).waitFor();
  });
});

test('an operation is sent as GraphQL over HTTP has it', async () => {
  await visit({}, async (page) => {
    const answer = page.waitForResponse((response) => isAnswerTo('MyTargets', response));
    await page.getByRole('button', { name: 'Execute query' }).click();

    const response = await answer;
    const { accept, cookie } = await response.request().allHeaders();
    assert.equal(accept, 'application/graphql-response+json, application/json;q=0.9');
    assert.match(cookie, /session=/);
    assert.match(response.headers()['content-type'], /^application\/graphql-response\+json/);
  });
});

test('the editor completes the names of fields', async () => {
  await visit({}, async (page) => {
    await operation(page).getByText('query MyTargets').click();
    await page.keyboard.press('End');
    await page.keyboard.type('\nlinked');
    const suggestion = page.locator('.suggest-widget').getByText('linkedInPostingPreferences', {
      exact: true,
    });

    // The editor's worker may still be reading the schema.
    await eventually(async () => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+Space');
      await suggestion.waitFor({ timeout: 2_000 });
    });
  });
});

test('the documentation explorer shows the schema', async () => {
  await visit({}, async (page) => {
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.getByRole('link', { name: 'LinkedInTarget', exact: true }).click();

    const explorer = page.locator('.graphiql-doc-explorer');
    await explorer.getByText('A LinkedIn destination that the caller can post to').waitFor();
    await explorer.getByRole('link', { name: 'PersonalPage' }).waitFor();
  });
});

for (const [colorScheme, editor, isRight] of [
  ['dark', '.monaco-editor.vs-dark', (brightness) => brightness < 80],
  ['light', '.monaco-editor.vs', (brightness) => brightness > 200],
]) {
  test(`it is ${colorScheme} when the browser asks for that`, async () => {
    await visit({ colorScheme }, async (page) => {
      const brightness = await page.locator('.graphiql-container').evaluate(brightnessBehind);

      assert.ok(isRight(brightness), `the brightness is ${brightness}`);
      assert.equal(await page.locator('.graphiql-query-editor').locator(editor).count(), 1);
    });
  });
}

test('it fits the width of a phone, with the documentation explorer too', async () => {
  await visit(PHONE, async (page) => {
    await page.getByRole('button', { name: 'Execute query' }).tap();
    await page.locator('.result-window').filter({ hasText: 'Alice Example' }).waitFor();
    await assertFits(page, ['.graphiql-query-editor', '.result-window', '.graphiql-sidebar']);

    await page.getByRole('button', { name: 'Show Documentation Explorer' }).tap();
    await page.locator('.graphiql-doc-explorer').waitFor();
    await assertFits(page, ['.graphiql-doc-explorer', '.graphiql-sidebar']);
  });
});

/** Signs in as Alice, and looks at GraphiQL. */
function visit(options, look) {
  return visitAs('alice', options, async (page) => {
    await operation(page).waitFor();
    await look(page);
  });
}

function operation(page) {
  return page.locator('.graphiql-query-editor .view-lines');
}

async function open(page, name) {
  await page.getByRole('tablist').getByText(name, { exact: true }).click();
  // GraphiQL takes in a changed operation after a pause, and keeps it at this moment.
  await page.waitForFunction(
    (name) => localStorage.getItem('graphiql:query')?.match(/(query|mutation|subscription) (\w+)/)?.[2] === name,
    name,
  );
}

function isAnswerTo(name, response) {
  return (
    response.url() === `${base}/graphql` &&
    response.request().postDataJSON().operationName === name
  );
}
