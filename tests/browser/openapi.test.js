import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertFits, base, brightnessBehind, PHONE, visitAs } from './visit.js';

const OPERATIONS = {
  'get /api/linkedin/targets': '"label": "Acme Corp"',
  'get /api/linkedin/posting-targets': '"orgScopeMissing": false',
  'put /api/linkedin/posting-targets': '"enabled": true',
  'post /api/linkedin/sync-pages': '"pageName": "Bob\'s Workshop"',
};
const LINKING = [
  'get /api/auth/linkedin/authorize',
  'get /api/auth/linkedin/callback',
  'get /api/auth/linkedin/confirm',
  'post /api/auth/linkedin/confirm',
  'get /api/auth/linkedin/status',
];
const BODY = { targets: [{ kind: 'personal' }] };

test('every operation is there, explains itself and runs', async () => {
  await visit({}, async (page) => {
    for (const [name, expected] of Object.entries(OPERATIONS)) {
      const operation = await open(page, name);
      if (name.startsWith('put')) await operation.getByRole('textbox').fill(JSON.stringify(BODY));
      await operation.getByRole('button', { name: 'Execute' }).click();

      await operation.locator('.live-responses-table').getByText(expected).waitFor();
      assert.match(await operation.locator('.opblock-description').innerText(), /\.$/);
      // One at a time: all of them together are a long page.
      await operation.getByRole('button', { name, exact: true }).click();
    }
    const shown = await page.locator('.opblock-control-arrow').evaluateAll((all) => all.map((it) => it.ariaLabel));
    // Swagger UI lets long paths break after each slash.
    const names = shown.map((name) => name.replaceAll('\u200b', ''));
    assert.deepEqual(names, [...Object.keys(OPERATIONS), ...LINKING]);
  });
});

test('a save is described with every sentence that may refuse it', async () => {
  await visit({}, async (page) => {
    const operation = await open(page, 'put /api/linkedin/posting-targets');
    const refusals = operation.getByRole('row', { name: /^400/ }).getByRole('combobox').last();

    // Waits for it to be drawn, which counting does not.
    await refusals.selectOption('invalid-targets');
    assert.equal(await refusals.locator('option').count(), 6);
    await operation.getByText('"error": "Invalid targets"').waitFor();
  });
});

test('a token can be sent in place of the cookie', async () => {
  await visit({}, async (page) => {
    await page.getByRole('button', { name: 'Authorize', exact: true }).click();
    await page.getByRole('textbox', { name: 'auth-bearer-value' }).fill('made up');
    await page.getByRole('button', { name: 'Apply credentials' }).first().click();
    await page.getByRole('button', { name: 'Close' }).first().click();
    const operation = await open(page, 'get /api/linkedin/targets');
    const asked = page.waitForRequest(`${base}/api/linkedin/targets`);
    await operation.getByRole('button', { name: 'Execute' }).click();

    assert.equal(await (await asked).headerValue('authorization'), 'Bearer made up');
  });
});

for (const [colorScheme, isRight] of [
  ['dark', (brightness) => brightness < 80],
  ['light', (brightness) => brightness > 200],
]) {
  test(`it is ${colorScheme} when the browser asks for that, and changes with it`, async () => {
    const other = colorScheme === 'dark' ? 'light' : 'dark';
    await visit({ colorScheme: other }, async (page) => {
      await page.emulateMedia({ colorScheme });
      const operation = await open(page, 'get /api/linkedin/targets');
      const brightness = await operation.locator('.opblock-section-header').first().evaluate(brightnessBehind);

      assert.ok(isRight(brightness), `the brightness is ${brightness}`);
    });
  });
}

test('it fits the width of a phone, with an answer and the authorizations too', async () => {
  await visit(PHONE, async (page) => {
    await assertFits(page, ['.information-container', '.opblock >> nth=0']);

    const operation = await open(page, 'get /api/linkedin/targets');
    await operation.getByRole('button', { name: 'Execute' }).tap();
    await operation.getByText('Bob Example').first().waitFor();
    await assertFits(page, ['.live-responses-table', '.responses-table >> nth=1']);

    await page.getByRole('button', { name: 'Authorize', exact: true }).tap();
    await page.locator('.modal-ux').waitFor();
    await assertFits(page, ['.modal-ux']);
  });
});

/** Signs in as Bob, and looks at Swagger UI. */
function visit(options, look) {
  return visitAs('bob', options, async (page) => {
    await page.goto(`${base}/openapi/`);
    await page.getByRole('heading', { name: 'LinkedIn targets over REST' }).waitFor();
    await look(page);
  });
}

async function open(page, name) {
  const operation = page.locator('.opblock').filter({ has: page.getByRole('button', { name, exact: true }) });
  await operation.getByRole('button', { name, exact: true }).click();
  await operation.getByRole('button', { name: 'Execute' }).waitFor();
  return operation;
}
