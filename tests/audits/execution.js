// Makes documents up, in which fields share names in fragments and under conditions in every way, and compares the
// answers of the server at SERVER to whoever has the SESSION with those of graphql-js from the same data.

import assert from "node:assert/strict";

import {
  buildSchema,
  doTypesOverlap,
  execute,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isLeafType,
  isRequiredArgument,
  isUnionType,
  parse,
  TypeNameMetaFieldDef,
  validate,
} from "graphql";

const COUNT = 500;

const { SERVER, SESSION } = process.env;

async function ask(query, variables) {
  const response = await fetch(`${SERVER}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", cookie: `session=${SESSION}` },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

// All that can be selected of a type without arguments, under names that are not shared.
function everything(schema, type) {
  if (isLeafType(type)) {
    return "";
  }
  if (isAbstractType(type)) {
    const objects = schema.getPossibleTypes(type);
    return `{ ${objects.map((object) => `... on ${object} ${everything(schema, object)}`).join(" ")} }`;
  }
  const fields = Object.values(type.getFields()).filter((field) => !field.args.some(isRequiredArgument));
  const selections = fields.map(
    (field) => `${type}_${field.name}: ${field.name} ${everything(schema, getNamedType(field.type))}`,
  );
  return `{ __typename ${selections.join(" ")} }`;
}

function underOwnNames(value) {
  if (Array.isArray(value)) {
    return value.map(underOwnNames);
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, value]) => [name.replace(/^[A-Za-z]+_/, ""), underOwnNames(value)]),
  );
}

function byId(value, found = new Map()) {
  if (value !== null && typeof value === "object") {
    Object.values(value).forEach((inner) => byId(inner, found));
    if (value.id) {
      found.set(value.id, value);
    }
  }
  return found;
}

// Mulberry32: the same numbers in every run.
function numbers(seed) {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const CONDITIONS = ["true", "false", "$yes", "$no", "$usually"];
const VARIABLES = {
  yes: "Boolean!",
  no: "Boolean!",
  usually: "Boolean! = true",
};

class MadeUp {
  constructor(schema, ids, seed) {
    this.schema = schema;
    this.composites = Object.values(schema.getTypeMap()).filter(
      (type) => isCompositeType(type) && !type.name.startsWith("__"),
    );
    this.ids = ids;
    this.below = numbers(seed);
    this.fragments = [];
    const operation = this.selections(schema.getQueryType(), 5);
    const text = [operation, ...this.fragments.map(({ text }) => text)].join("\n");
    const used = Object.entries(VARIABLES).filter(([name]) => text.includes(`$${name}`));
    const variables = used.map(([name, type]) => `$${name}: ${type}`).join(" ");
    this.text = `query ${variables && `(${variables})`} ${text}`;
    this.variables = { yes: true, no: false };
  }

  oneOf(items) {
    return items[this.below(items.length)];
  }

  selections(type, depth) {
    const count = 1 + this.below(5);
    const selections = Array.from({ length: count }, () => this.selection(type, depth));
    return `{ ${selections.join(" ")} }`;
  }

  selection(type, depth) {
    switch (depth > 0 ? this.below(10) : 0) {
      case 7:
        return `... ${this.condition()} ${this.selections(type, depth - 1)}`;
      case 8:
        return this.inline(type, depth);
      case 9:
        return `...${this.fragment(type, depth)} ${this.condition()}`;
      default:
        return this.field(type, depth);
    }
  }

  field(type, depth) {
    const own = isUnionType(type) ? [] : Object.values(type.getFields());
    const fields = own.filter((field) => depth > 0 || isLeafType(getNamedType(field.type)));
    const field = this.oneOf([...fields, ...fields, TypeNameMetaFieldDef]);
    const inner = getNamedType(field.type);
    const selections = isLeafType(inner) ? "" : this.selections(inner, depth - 1);
    return `${this.called(field)} ${this.condition()} ${selections}`;
  }

  // Names are shared by fields that ask for the same.
  called({ name, args }) {
    const alias = this.below(4) === 0 ? `${name}Again: ` : "";
    if (args.length === 0) {
      return `${alias}${name}`;
    }
    const id = this.below(this.ids.length);
    return `${name}${id}: ${name}(id: "${this.ids[id]}")`;
  }

  condition() {
    const directive = this.oneOf(["", "", "", "", "@include", "@skip"]);
    return directive && `${directive}(if: ${this.oneOf(CONDITIONS)})`;
  }

  inline(type, depth) {
    const condition = this.oneOf(this.composites.filter((other) => doTypesOverlap(this.schema, type, other)));
    return `... on ${condition} ${this.condition()} ${this.selections(condition, depth - 1)}`;
  }

  // One that is there already, or a new one.
  fragment(type, depth) {
    const fits = this.fragments.filter((other) => doTypesOverlap(this.schema, type, other.type));
    if (fits.length > 0 && this.below(2) === 0) {
      return this.oneOf(fits).name;
    }
    const on = this.oneOf(this.composites.filter((other) => doTypesOverlap(this.schema, type, other)));
    const selections = this.selections(on, depth - 1);
    const name = `F${this.fragments.length}`;
    this.fragments.push({ name, type: on, text: `fragment ${name} on ${on} ${selections}` });
    return name;
  }
}

const sdl = await (await fetch(`${SERVER}/schema.graphql`)).text();
const schema = buildSchema(sdl);
const all = await ask(everything(schema, schema.getQueryType()));
assert.equal(all.errors, undefined, JSON.stringify(all.errors));
const data = underOwnNames(all.data);
const nodes = byId(data);
const rootValue = { ...data, node: ({ id }) => nodes.get(id) };

let compared = 0;
for (let seed = 0; compared < COUNT; seed += 1) {
  assert.ok(seed < 20 * COUNT, "most documents are of no use");
  const { text, variables } = new MadeUp(schema, [...nodes.keys()], seed);
  const document = parse(text);
  if (validate(schema, document).length > 0) {
    continue;
  }
  const answer = await ask(text, variables);
  if (answer.errors?.[0].extensions.code === "QUERY_TOO_COMPLEX") {
    continue;
  }
  const expected = await execute({ schema, document, rootValue, variableValues: variables });
  // As text, so that the order counts.
  assert.equal(JSON.stringify(answer), JSON.stringify(expected), text);
  compared += 1;
}
console.log(`${compared} documents were answered alike`);
