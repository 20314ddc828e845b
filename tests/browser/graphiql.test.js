import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { args, executablePath } from './chromium.js';

const base = process.env.BASE_URL;
assert.ok(base, 'BASE_URL must be the address of a demo: `linkedin-targets demo` prints it');

const EXAMPLES = {
  MyTargets: 'Acme Corp',
  Picker: 'Acme Labs',
  Preferences: '"reconnectUrl": null',
  SavePreferences: '"enabled": true',
  SyncPages: '"complete": true',
  Health: '"status": "ACTIVE"',
  Node: '"node": null',
};

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath, args });
});
after(() => browser?.close());

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
      const answer = page.waitForResponse((response) => isAnswerTo(name, response));
      await page.getByRole('button', { name: 'Execute query' }).click();

      const { errors } = await (await answer).json();
      assert.equal(errors, undefined);
      await page.locator('.result-window').filter({ hasText: expected }).waitFor();
    }
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
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  await visit(phone, async (page) => {
    await page.getByRole('button', { name: 'Execute query' }).tap();
    await page.locator('.result-window').filter({ hasText: 'Alice Example' }).waitFor();
    await assertFits(page, ['.graphiql-query-editor', '.result-window', '.graphiql-sidebar']);

    await page.getByRole('button', { name: 'Show Documentation Explorer' }).tap();
    await page.locator('.graphiql-doc-explorer').waitFor();
    await assertFits(page, ['.graphiql-doc-explorer', '.graphiql-sidebar']);
  });
});

/** Signs in as Alice, looks at GraphiQL, and checks that the browser had nothing to complain about. */
async function visit(options, look) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const complaints = [];
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== base && protocol !== 'data:') complaints.push(`asked ${origin}`);
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error('refused', event.blockedURI));
  });
  try {
    const page = await context.newPage();
    const response = await page.goto(`${base}/demo/sign-in/alice`);
    assert.ok(response.ok(), await page.innerText('body'));
    await operation(page).waitFor();
    await look(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, []);
}

function operation(page) {
  return page.locator('.graphiql-query-editor .view-lines');
}

async function open(page, name) {
  await page.getByRole('tablist').getByText(name, { exact: true }).click();
  // GraphiQL takes in a changed operation after a pause, and keeps it at this moment.
  await page.waitForFunction(
    (name) => localStorage.getItem('graphiql:query')?.match(/(query|mutation) (\w+)/)?.[2] === name,
    name,
  );
}

function isAnswerTo(name, response) {
  return (
    response.url() === `${base}/graphql` &&
    response.request().postDataJSON().operationName === name
  );
}

/** From 0 for black to 255 for white; runs in the page. */
function brightnessBehind(element) {
  const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[\d.]+/g).map(Number);
  return (red + green + blue) / 3;
}

async function assertFits(page, parts) {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: innerWidth,
  }));
  assert.equal(content, window);
  for (const part of parts) {
    const { x, width } = await page.locator(part).boundingBox();
    assert.ok(x >= 0 && width > window / 2 && x + width <= window, `${part}: ${x} + ${width}`);
  }
}

async function eventually(act) {
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
