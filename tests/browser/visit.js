import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { chromium } from 'playwright-core';

import { args, executablePath } from './chromium.js';

export const base = process.env.BASE_URL;
assert.ok(base, 'BASE_URL must be the address of a demo: `linkedin-targets demo` prints it');

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath, args });
});
after(() => browser?.close());

/**
 * Signs in as somebody of the demo, looks at pages, and checks that the browser had nothing to complain about and asked
 * no other origins than these.
 */
export async function visitAs(name, { others = [], ...options }, look) {
  const known = [base, ...others];
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const complaints = [];
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (!known.includes(origin) && protocol !== 'data:') complaints.push(`asked ${origin}`);
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error('refused', event.blockedURI));
  });
  try {
    const page = await context.newPage();
    const response = await page.goto(`${base}/demo/sign-in/${name}`);
    assert.ok(response.ok(), await page.innerText('body'));
    await look(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, []);
}

/** From 0 for black to 255 for white; runs in the page. */
export function brightnessBehind(element) {
  const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[\d.]+/g).map(Number);
  return (red + green + blue) / 3;
}

/** Nothing reaches over the edge of the window, and these parts use its width. */
export async function assertFits(page, parts) {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: innerWidth,
  }));
  assert.equal(window, page.viewportSize().width);
  assert.equal(content, window);
  for (const part of parts) {
    const { x, width } = await page.locator(part).boundingBox();
    assert.ok(x >= 0 && width > window / 2 && x + width <= window, `${part}: ${x} + ${width}`);
  }
}

/** Tries until it works, for things that another process has still to do. */
export async function eventually(act) {
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
