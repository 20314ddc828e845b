import assert from 'node:assert/strict';
import { test } from 'node:test';

import { base, eventually, visitAs } from './visit.js';

test('Dave links LinkedIn, loses a page, lets the connection expire, and reconnects', async () => {
  await visitAs('dave', { others: [await linkedIn()] }, async (page) => {
    assert.deepEqual(await labels(page), []);

    await step(page, 'he cancels, which is no error', async () => {
      await page.goto(base);
      await page.getByRole('link', { name: 'Link LinkedIn' }).click();
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await page.getByRole('status').filter({ hasText: 'Nothing was changed.' }).waitFor();
    });

    await step(page, 'he links', async () => {
      await page.getByRole('link', { name: 'Link LinkedIn' }).click();
      await allow(page, 'Carol Example');
      await page.getByRole('status').filter({ hasText: 'LinkedIn is linked.' }).waitFor();
    });
    const linked = await labels(page);
    assert.deepEqual(linked, ['Carol Example', 'Carol Example: a page to discover']);

    await step(page, 'he loses the page at LinkedIn, and the sync says so', async () => {
      await atLinkedIn(page, async () => {
        const row = page.getByRole('row', { name: 'Carol Example: a page to discover' });
        await row.getByRole('button', { name: 'Lose this page' }).click();
        await row.getByRole('button', { name: 'Get this page' }).waitFor();
      });
      const report = await eventually(async () => {
        const { report } = await sync(page);
        assert.equal(report.removed.length, 1);
        return report;
      });
      assert.deepEqual(report.removed, [{ label: 'Carol Example: a page to discover' }]);
      assert.equal(report.complete, true);
      assert.deepEqual(await labels(page), ['Carol Example']);
      const { unavailableLinkedInTargets } = await health(page);
      assert.deepEqual(unavailableLinkedInTargets, [
        { label: 'Carol Example: a page to discover', reason: 'PAGE_REMOVED' },
      ]);
    });

    await step(page, 'his token expires, and the health tells it', async () => {
      await atLinkedIn(page, async () => {
        const member = page.getByRole('heading', { name: 'Carol Example', exact: true });
        const forms = page.locator('h2:has-text("Carol Example") ~ form');
        await member.waitFor();
        await forms.first().getByRole('button', { name: 'Let the tokens expire' }).click();
      });
      await eventually(async () => assert.equal((await sync(page)).code, 'CONNECTION_EXPIRED'));
      assert.deepEqual(await labels(page), []);
      const { linkedInConnection } = await health(page);
      assert.equal(linkedInConnection.status, 'EXPIRED');
      assert.equal(
        linkedInConnection.reconnectUrl,
        `${base}/api/auth/linkedin/authorize?link=true`,
      );
    });

    await step(page, 'he gets the page back and reconnects', async () => {
      await atLinkedIn(page, async () => {
        const row = page.getByRole('row', { name: 'Carol Example: a page to discover' });
        await row.getByRole('button', { name: 'Get this page' }).click();
        await row.getByRole('button', { name: 'Lose this page' }).waitFor();
      });
      const { linkedInConnection } = await health(page);
      await page.goto(linkedInConnection.reconnectUrl);
      await allow(page, 'Carol Example');
      await page.getByRole('status').filter({ hasText: 'LinkedIn is linked.' }).waitFor();
      assert.deepEqual(await labels(page), linked);
      assert.equal((await health(page)).linkedInConnection.status, 'ACTIVE');
    });

    await step(page, 'he comes back as somebody else, and is asked', async () => {
      await page.getByRole('link', { name: 'Link LinkedIn' }).click();
      await allow(page, 'Frank Example');
      await page.getByRole('button', { name: 'Keep Carol Example' }).click();
      await page.getByRole('status').filter({ hasText: 'Nothing was changed.' }).waitFor();
      assert.deepEqual(await labels(page), linked);

      await page.getByRole('link', { name: 'Link LinkedIn' }).click();
      await allow(page, 'Frank Example');
      await shot(page, 'confirm');
      await page
        .getByRole('button', { name: 'Replace Carol Example with Frank Example' })
        .click();
      await page.getByRole('status').filter({ hasText: 'LinkedIn is linked.' }).waitFor();
      assert.deepEqual(await labels(page), ['Frank Example', 'Frank Example: a page to discover']);
    });
  });
});

/** The origin of the demo's LinkedIn. */
async function linkedIn() {
  const people = await (await fetch(base)).text();
  const [, address] = people.match(/href="([^"]+)">The LinkedIn of this demo/);
  return new URL(address).origin;
}

/** Names the step in what fails inside it. */
async function step(page, name, act) {
  try {
    await act();
  } catch (error) {
    throw new Error(`${name}, at ${page.url()}: ${await page.innerText('body')}`, { cause: error });
  }
}

/** Says yes to everything on the consent page. */
async function allow(page, member) {
  await page.getByRole('radio', { name: member }).check();
  await page.getByRole('button', { name: 'Allow' }).click();
}

/** Changes something at the demo's LinkedIn. */
async function atLinkedIn(page, act) {
  await page.goto(base);
  await page.getByRole('link', { name: 'The LinkedIn of this demo' }).click();
  await act();
  await page.goto(`${base}/integrations`);
}

async function labels(page) {
  const response = await page.request.get(`${base}/api/linkedin/targets`);
  return (await response.json()).targets.map(({ label }) => label);
}

async function sync(page) {
  const { syncLinkedInPages } = await graphql(
    page,
    `mutation {
      syncLinkedInPages {
        ... on SyncLinkedInPagesSuccess { report { complete removed { label } } }
        ... on MutationError { code }
      }
    }`,
  );
  return syncLinkedInPages;
}

function health(page) {
  return graphql(
    page,
    `{
      linkedInConnection { status reconnectUrl }
      unavailableLinkedInTargets { label reason }
    }`,
  );
}

async function graphql(page, query) {
  const response = await page.request.post(`${base}/graphql`, { data: { query } });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}

/** For people to look at, where SCREENSHOTS names a folder. */
async function shot(page, name) {
  if (process.env.SCREENSHOTS) {
    await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
  }
}
