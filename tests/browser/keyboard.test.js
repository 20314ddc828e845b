import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertFits, visitAs } from './visit.js';

const NARROW = { viewport: { width: 390, height: 844 } };
const FRAMES = ['Operation editor', 'Variables editor', 'Result Window'];
const TABS = 100;

for (const colorScheme of ['light', 'dark']) {
  test(`Tab leads through everything and comes back, visibly, where it is ${colorScheme}`, async () => {
    await visit({ colorScheme }, async (keyboard) => {
      const there = await keyboard.round('Tab');
      const back = await keyboard.round('Shift+Tab');

      // It is there only while its tab has the focus.
      const lasting = there.filter((name) => name !== 'Close Tab');
      assert.deepEqual(back.reverse().filter((name) => name !== 'Close Tab'), lasting);
      for (const name of ['Show Documentation Explorer', 'MyTargets', 'New tab', ...FRAMES]) {
        assert.ok(there.includes(name), name);
      }
    });
  });
}

test('the editor is entered and left again, and says how', async () => {
  await visit({}, async (keyboard, page) => {
    await keyboard.goTo('Operation editor');
    assert.equal(await hint(page), 'Enter: into the editor. Tab: past it.');
    await keyboard.press('Enter');
    assert.equal(await hint(page), 'Escape, then Tab: out of the editor.');

    await keyboard.press('Tab');
    assert.equal((await keyboard.focused()).name, 'Editor content');
    assert.match(await page.locator('.graphiql-query-editor .view-line').first().innerText(), /^\s+#/);
    await keyboard.press('Escape', 'Tab');
    assert.match((await keyboard.focused()).name, /^Execute query/);
    assert.equal(await hint(page), '');

    await keyboard.press('Shift+Tab', 'Enter', 'Escape', 'Shift+Tab');
    assert.equal((await keyboard.focused()).name, 'Operation editor');
  });
});

test('suggestions are closed by Escape, and the editor left by the next one', async () => {
  await visit({}, async (keyboard, page) => {
    await keyboard.goTo('Operation editor');
    await keyboard.press('Enter', 'Control+End', 'Control+Space');
    const suggestions = page.locator('.suggest-widget.visible');
    await suggestions.waitFor();

    await keyboard.press('Escape');
    await suggestions.waitFor({ state: 'hidden' });
    assert.equal((await keyboard.focused()).name, 'Editor content');
    await keyboard.press('Escape', 'Tab');
    assert.match((await keyboard.focused()).name, /^Execute query/);
  });
});

test('every editor lets the keyboard go', async () => {
  await visit({}, async (keyboard) => {
    for (const frame of FRAMES) {
      await keyboard.goTo(frame);
      await keyboard.press('Enter');
      assert.equal((await keyboard.focused()).name, 'Editor content', frame);

      await keyboard.press('Escape', 'Shift+Tab');
      assert.equal((await keyboard.focused()).name, frame);
    }
  });
});

test('another example is opened and run', async () => {
  await visit({}, async (keyboard, page) => {
    await keyboard.goTo('Health');
    await keyboard.press('Enter');
    await page.locator('.graphiql-query-editor').getByText('query Health').waitFor();

    await keyboard.goTo(/^Execute query/);
    await keyboard.press('Enter');

    const result = page.locator('.result-window');
    await result.filter({ hasText: '"status": "ACTIVE"' }).waitFor();
    assert.equal(await result.getAttribute('aria-live'), 'polite');
  });
});

test('it is run from within the editor', async () => {
  await visit({}, async (keyboard, page) => {
    await keyboard.goTo('Operation editor');
    await keyboard.press('Enter', 'Control+Enter');

    await page.locator('.result-window').filter({ hasText: 'Alice Example' }).waitFor();
  });
});

test('a type is looked up in the documentation', async () => {
  await visit({}, async (keyboard, page) => {
    await keyboard.goTo('Show Documentation Explorer');
    await keyboard.press('Enter');
    await keyboard.goTo('Search the documentation');
    await page.keyboard.type('OrgPage');
    // The names that hold these letters remain: the type's own, and a field's.
    await page.getByRole('option').nth(2).waitFor({ state: 'detached' });
    await keyboard.press('ArrowDown', 'ArrowUp', 'Enter');

    const explorer = page.locator('.graphiql-doc-explorer');
    await explorer.locator('.graphiql-doc-explorer-title').getByText('OrgPage', { exact: true }).waitFor();
    await keyboard.round('Tab');
    await keyboard.goTo('Hide Documentation Explorer');
    await keyboard.press('Enter');
    await explorer.waitFor({ state: 'detached' });
  });
});

test('the theme is changed in the settings, which lead back to where they were opened', async () => {
  await visit({ colorScheme: 'light' }, async (keyboard, page) => {
    await keyboard.goTo('Open settings dialog');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    const inside = await keyboard.round('Tab');
    assert.ok(!inside.includes('Operation editor'), 'what is behind the dialog is out of reach');

    await keyboard.goTo('Dark');
    await keyboard.press('Enter');
    await page.locator('.graphiql-query-editor .monaco-editor.vs-dark').waitFor();
    await keyboard.focused();

    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal((await keyboard.focused()).name, 'Open settings dialog');
  });
});

test('it fits a narrow window, with the hint too', async () => {
  await visit(NARROW, async (keyboard, page) => {
    await keyboard.round('Tab');
    await keyboard.goTo('Operation editor');
    await keyboard.press('Enter');

    await assertFits(page, ['.graphiql-query-editor', '#keyboard-hint']);
  });
});

test('whoever points sees no hint', async () => {
  await visit({}, async (_, page) => {
    await page.locator('.graphiql-query-editor').getByText('query MyTargets').click();
    await page.locator('.graphiql-query-editor textarea:focus').waitFor();

    assert.equal(await hint(page), '');
  });
});

/** Signs in as Alice, and gives a keyboard to her. */
function visit(options, look) {
  return visitAs('alice', options, async (page) => {
    await page.locator('.graphiql-query-editor .view-lines').waitFor();
    await look(await Keyboard.of(page), page);
  });
}

function hint(page) {
  return page.getByRole('status').and(page.locator('#keyboard-hint')).innerText();
}

class Keyboard {
  #page;
  #session;

  static async of(page) {
    const keyboard = new Keyboard();
    keyboard.#page = page;
    keyboard.#session = await page.context().newCDPSession(page);
    return keyboard;
  }

  async press(...keys) {
    for (const key of keys) await this.#page.keyboard.press(key);
  }

  /** Presses Tab until that has the focus. */
  async goTo(name) {
    for (let tabs = 0; tabs < TABS; tabs++) {
      await this.press('Tab');
      const focused = await this.focused();
      if (focused && (name instanceof RegExp ? name.test(focused.name) : focused.name === name)) return;
    }
    assert.fail(`Tab does not lead to ${name}`);
  }

  /** The names of everything that a key leads to, until it comes back to where it was first. */
  async round(key) {
    const names = [];
    let first;
    for (let presses = 0; presses < TABS; presses++) {
      await this.press(key);
      const focused = await this.focused();
      // The browser's own buttons come between the last and the first.
      if (!focused && names.length === 0) continue;
      if (!focused || focused.id === first) return names;
      first ??= focused.id;
      names.push(focused.name);
    }
    assert.fail(`${key} does not come back: ${names}`);
  }

  /** What has the focus, with a name and an outline; undefined where the page itself has it. */
  async focused() {
    const { result } = await this.#session.send('Runtime.evaluate', { expression: 'document.activeElement' });
    const { objectId } = result;
    const { node } = await this.#session.send('DOM.describeNode', { objectId });
    if (node.nodeName === 'BODY') return undefined;
    const { nodes } = await this.#session.send('Accessibility.getPartialAXTree', { objectId, fetchRelatives: false });
    const name = nodes[0].name?.value.trim();
    assert.ok(name, `nameless: ${await this.#page.evaluate(() => document.activeElement.outerHTML.slice(0, 200))}`);
    assert.ok(await this.#page.evaluate(outlineContrast) >= 3, `${name} has no outline that can be seen`);
    return { name, id: node.backendNodeId };
  }
}

/** How well the outline of what has the focus can be told from what it is drawn on, as WCAG has it; runs in the page. */
function outlineContrast() {
  const focused = document.activeElement;
  // Inside an editor, the frame has it.
  const shown = focused.closest('.monaco-editor') ? focused.closest('[tabindex="0"]') : focused;
  const { outlineStyle, outlineWidth, outlineOffset, outlineColor } = getComputedStyle(shown);
  if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) return 0;
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  // What shines through is mixed with what is behind it.
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const [red, green, blue, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
    if (alpha === 1) return [red, green, blue];
    const others = behind(element.parentElement);
    return [red, green, blue].map((channel, index) => channel * alpha + others[index] * (1 - alpha));
  };
  const luminance = (color) => {
    const [red, green, blue] = color
      .map((channel) => channel / 255)
      .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const canvas = behind(parseFloat(outlineOffset) < 0 ? shown : shown.parentElement);
  const [bright, dark] = [luminance(channels(outlineColor)), luminance(canvas)].sort((a, b) => b - a);
  return (bright + 0.05) / (dark + 0.05);
}
