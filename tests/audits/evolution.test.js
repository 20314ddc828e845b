// What breaks clients, by examples.

import assert from "node:assert/strict";
import { test } from "node:test";

import { breakingEntries, judge } from "./evolution.js";

const today = "2026-06-12";
const before = `
  directive @mark(a: Int, b: Int) repeatable on FIELD | QUERY
  directive @gone on FIELD
  interface Node { id: ID! }
  type Query {
    page(id: ID!, size: Int, sort: Sort = NAME): Page!
    all: [Target!]!
    name: String! @deprecated(reason: "Use \`label\`; goes after 2026-06-30.")
    title: String! @deprecated(reason: "Use \`label\`; goes after 2026-05-31.")
    label: String!
    url: URL
  }
  type Page implements Node { id: ID!, label: String }
  type Personal { label: String }
  union Target = Page | Personal
  enum Sort { NAME, AGE }
  input Filter { label: String }
  scalar URL @specifiedBy(url: "https://url.spec.whatwg.org/")
  scalar Colour
  extend type Query { colour: Colour, filtered(by: Filter): String }
`;
const changelog = (...entries) => `
# Changelog
## [Unreleased]
### Breaking
${entries.map((entry) => `- ${entry} is another one.`).join("\n")}
### Added
- \`Page.label\`
## [1.2.0] - 2026-06-01
### Breaking
- \`Query.ancient\`
`;
const after = (...changes) => changes.reduce((schema, [from, to]) => {
  assert.ok(schema.includes(from), from);
  return schema.replace(from, to);
}, before);
const verdict = (schema, ...entries) =>
  judge({ before, after: schema, changelog: changelog(...entries), release: "v1.2.0", today });

test("what stays as it is breaks nobody", () => {
  assert.deepEqual(verdict(before), { breaking: 0, wrong: [], felt: [] });
});

const changes = {
  "Page.label": ["id: ID!, label: String }", "id: ID! }"],
  "Query.url": ["url: URL", "url: String"],
  "Query.page": ["): Page!", "): Page"],
  "Query.page(size:)": ["size: Int, ", ""],
  "Query.page(id:)": ["id: ID!,", "id: Int!,"],
  "Query.page(before:)": ["size: Int", "size: Int, before: ID!"],
  "Query.all": ["all: [Target!]!", "all: [Page!]!"],
  Target: ["= Page | Personal", "= Page"],
  Page: ["type Page implements Node", "type Page"],
  Colour: ["scalar Colour", "enum Colour { RED }"],
  "Sort.AGE": ["NAME, AGE", "NAME"],
  "Filter.size": ["label: String }\n  scalar", "label: String, size: Int! }\n  scalar"],
  "Filter.label": ["input Filter { label: String }", "input Filter { label: Int }"],
  "@gone": ["directive @gone on FIELD", ""],
  "@mark": [" repeatable", ""],
  "@mark(b:)": ["a: Int, b: Int)", "a: Int)"],
  "@mark(c:)": ["b: Int)", "b: Int, c: Int!)"],
};
for (const [coordinate, change] of Object.entries(changes)) {
  test(`a change of ${coordinate} must be told`, () => {
    const { wrong, breaking } = verdict(after(change));

    assert.equal(breaking, 1);
    assert.equal(wrong.length, 1);
    assert.ok(wrong[0].startsWith(`\`${coordinate}\` breaks clients, and`), wrong[0]);
    assert.deepEqual(verdict(after(change), `\`${coordinate}\``).wrong, []);
  });
}

test("a directive's place is part of it", () => {
  const change = [" on FIELD | QUERY", " on FIELD"];

  assert.match(verdict(after(change)).wrong[0], /^`@mark` breaks/);
});

test("a type that goes must be told", () => {
  const changes = [["  scalar Colour\n", ""], ["colour: Colour, ", ""]];

  const { wrong } = verdict(after(...changes));

  assert.deepEqual(wrong.map((sentence) => sentence.split(" ")[0]), ["`Colour`", "`Query.colour`"]);
});

test("what is told elsewhere is not told", () => {
  const gone = after(changes["Page.label"]);
  const told = (text) => judge({ before, after: gone, changelog: text, release: "v1.2.0", today }).wrong.length;

  assert.equal(told(changelog("Page.label")), 1, "not in backticks");
  assert.equal(told(changelog("`Page.labels`")), 1);
  assert.equal(told(changelog("`label`")), 1);
  assert.equal(told(changelog().replace("`Query.ancient`", "`Page.label`")), 1, "of the last release");
});

test("the coming release may have its name already", () => {
  const named = changelog("`A.b`").replace("[Unreleased]", "[1.3.0] - 2026-06-12");

  assert.deepEqual([...breakingEntries(named, "v1.2.0")], ["A.b"]);
  assert.deepEqual([...breakingEntries(named, "v1.3.0")], []);
  assert.deepEqual([...breakingEntries(named, "v1.1.0")], ["A.b", "Query.ancient"]);
});

test("what is deprecated stays until its day is over, whatever the changelog says", () => {
  const line = (name) => [new RegExp(`\\n    ${name}: .*@deprecated.*`).exec(before)[0], ""];
  const removed = (name, day) =>
    judge({ before, after: after(line(name)), changelog: changelog(`\`Query.${name}\``), release: "v1.2.0", today: day }).wrong;

  assert.match(removed("name", "2026-06-30")[0], /^`Query.name` was promised to stay until 2026-06-30/);
  assert.deepEqual(removed("name", "2026-07-01"), []);
  assert.deepEqual(removed("title", today), []);
  const untold = judge({ before, after: after(line("title")), changelog: changelog(), release: "v1.2.0", today });
  assert.match(untold.wrong[0], /^`Query.title` breaks clients/);
});

test("a deprecation says what replaces it, and until when it stays", () => {
  const complaints = (reason) => {
    const field = `label: String! @deprecated(reason: ${JSON.stringify(reason)})`;
    const schema = after(["label: String!\n    url", `${field}\n    url`]);
    return judge({ before: null, after: schema, changelog: "", today }).wrong;
  };

  assert.deepEqual(complaints("Use `url`; goes after 2026-12-31."), []);
  assert.deepEqual(complaints("Use `Page.label`; goes after 2026-12-31."), []);
  assert.deepEqual(complaints("Use `Query.page(id:)`; goes after 2026-12-31."), []);
  assert.equal(complaints("Goes after 2026-12-31.").length, 1);
  assert.equal(complaints("Use `nothing`; goes after 2026-12-31.").length, 1);
  assert.equal(complaints("Use `url`; goes after 2026-02-30.").length, 1);
  assert.equal(complaints("Use `url`; goes soon.").length, 1);
  assert.equal(complaints("No longer supported").length, 2);
});

test("deprecated arguments, keys and values say so too", () => {
  const { wrong } = judge({
    before: null,
    after: after(
      ["size: Int,", "size: Int @deprecated,"],
      ["input Filter { label: String }", "input Filter { label: String @deprecated }"],
      ["NAME, AGE", "NAME, AGE @deprecated"],
      ["b: Int)", "b: Int @deprecated)"],
    ),
    changelog: "",
    today,
  });

  const places = new Set(wrong.map((sentence) => sentence.split(" ")[0]));
  assert.deepEqual([...places], ["`Query.page(size:)`", "`Sort.AGE`", "`Filter.label`", "`@mark(b:)`"]);
});

test("what clients may feel is told, and stops nobody", () => {
  const { wrong, felt, breaking } = verdict(after(
    ["NAME, AGE", "NAME, AGE, SIZE"],
    ["= Page | Personal", "= Page | Personal | Query"],
    ["sort: Sort = NAME", "sort: Sort = AGE"],
    ["input Filter {", "input Filter @oneOf {"],
    [' @specifiedBy(url: "https://url.spec.whatwg.org/")', ""],
    ["url: URL", 'url: URL! @deprecated(reason: "Use `label`; goes after 2026-12-31.")'],
  ));

  assert.deepEqual([breaking, wrong], [0, []]);
  assert.equal(felt.length, 7, felt.join("\n"));
});
