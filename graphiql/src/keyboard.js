const FRAME = '.graphiql-editor[tabindex], .result-window[tabindex]';

/** What GraphiQL leaves without a name: where it is, and what it is then. */
const NAMELESS = [
  ['.graphiql-query-editor .graphiql-editor', { role: 'group', 'aria-label': 'Operation editor' }],
  ['.graphiql-editor-tool :nth-child(1 of .graphiql-editor)', { role: 'group', 'aria-label': 'Variables editor' }],
  ['.graphiql-editor-tool :nth-child(2 of .graphiql-editor)', { role: 'group', 'aria-label': 'Headers editor' }],
  ['.graphiql-doc-explorer-search input', { 'aria-label': 'Search the documentation' }],
];

/**
 * Leads into the editors and out of them by keyboard. Enter leads from an editor's frame into it. There Tab writes,
 * unless Escape was the key before: then it goes on to what comes next. `hint` says so, to screen readers too.
 */
export function helpKeyboards(root, hint) {
  new MutationObserver(() => giveNames(root)).observe(root, { childList: true, subtree: true });

  let key;
  let opener;
  addEventListener('focusin', ({ target }) => {
    hint.textContent = key ? advice(target) : '';
    if (root.contains(target)) opener = target;
  });
  // Who closes a dialog goes on where it was opened.
  new MutationObserver((changes) => {
    const removed = changes.flatMap(({ removedNodes }) => [...removedNodes]);
    if (removed.some((node) => node.matches?.('[role=dialog]')) && opener?.isConnected) opener.focus();
  }).observe(document.body, { childList: true });
  addEventListener('pointerdown', () => { key = undefined; }, true);
  // Before the editor, which takes every Tab for itself.
  addEventListener('keydown', (event) => {
    if (key === 'Escape' && event.key === 'Tab' && isInside(event.target)) event.stopImmediatePropagation();
    // The other key of Shift+Tab.
    if (event.key !== 'Shift') key = event.key;
  }, true);
}

function giveNames(root) {
  for (const [places, attributes] of NAMELESS) {
    for (const element of root.querySelectorAll(`:is(${places}):not([aria-label])`)) {
      Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    }
  }
}

function advice(target) {
  if (isInside(target)) return 'Escape, then Tab: out of the editor.';
  return target.matches(FRAME) ? 'Enter: into the editor. Tab: past it.' : '';
}

function isInside(target) {
  return !target.matches(FRAME) && target.closest(FRAME) !== null;
}
