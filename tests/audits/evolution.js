// Tells what becomes of clients when the schema goes on from the newest release to what is in this folder. Whatever
// breaks them must be named in the changelog, and what is deprecated must say what comes instead, and until when it stays.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import {
  BreakingChangeType as Breaking,
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedDirective,
} from "graphql";

/** What is wrong, and what else clients may feel; `before` is null when nothing was released yet. */
export function judge({ before, after, changelog, release, today }) {
  const [old, now] = [before && buildSchema(before), buildSchema(after)];
  const wrong = [...deprecations(now)].flatMap((it) => misgivings(it, now));
  if (!old) {
    return { breaking: 0, wrong, felt: [] };
  }
  const promised = new Map([...deprecations(old)].map((it) => [it.coordinate, dateIn(it.reason)]));
  const named = breakingEntries(changelog, release);
  const breaking = findBreakingChanges(old, now).map((change) => ({ ...change, coordinate: coordinateOf(change) }));
  for (const { type, coordinate, description } of breaking) {
    const until = removals.has(type) ? promised.get(coordinate) : undefined;
    if (until && today <= until) {
      wrong.push(`\`${coordinate}\` was promised to stay until ${until}: put it back. (${description})`);
    } else if (!named.has(coordinate)) {
      wrong.push(`\`${coordinate}\` breaks clients, and CHANGELOG.md does not name it under \`### Breaking\`. (${description})`);
    }
  }
  const felt = [...findDangerousChanges(old, now).map((change) => change.description), ...unnoticed(old, now, promised)];
  return { breaking: breaking.length, wrong, felt };
}

const removals = new Set([Breaking.FIELD_REMOVED, Breaking.VALUE_REMOVED_FROM_ENUM, Breaking.ARG_REMOVED]);

// graphql-js tells where a change is in its sentence alone.
const name = "([_A-Za-z]\\w*)";
const sentences = [
  [`^${name}\\.${name} arg ${name} `, (type, field, arg) => `${type}.${field}(${arg}:)`],
  [`^A required arg ${name} on directive ${name} `, (arg, directive) => `@${directive}(${arg}:)`],
  [`^A required arg ${name} on ${name}\\.${name} `, (arg, type, field) => `${type}.${field}(${arg}:)`],
  [`^A required field ${name} on input type ${name} `, (field, type) => `${type}.${field}`],
  [`^${name} was removed from enum type ${name}\\.`, (value, type) => `${type}.${value}`],
  [`^${name} was removed from union type ${name}\\.`, (_, type) => type],
  [`^${name}\\.${name} `, (type, field) => `${type}.${field}`],
  [`^Standard scalar ${name} was removed`, (type) => type],
  [`^${name} (?:was removed\\.|changed from |no longer implements )`, (type) => type],
].map(([pattern, coordinate]) => [new RegExp(pattern), coordinate]);

const ofDirectives = [
  [Breaking.DIRECTIVE_REMOVED, /^(\w+) was removed/, (directive) => `@${directive}`],
  [Breaking.DIRECTIVE_ARG_REMOVED, /^(\w+) was removed from (\w+)/, (arg, directive) => `@${directive}(${arg}:)`],
  [Breaking.DIRECTIVE_REPEATABLE_REMOVED, /was removed from (\w+)/, (directive) => `@${directive}`],
  [Breaking.DIRECTIVE_LOCATION_REMOVED, /was removed from (\w+)/, (directive) => `@${directive}`],
];

function coordinateOf({ type, description }) {
  const own = ofDirectives.filter(([kind]) => kind === type).map(([, ...rule]) => rule);
  for (const [pattern, coordinate] of [...own, ...sentences]) {
    const found = pattern.exec(description);
    if (found) {
      return coordinate(...found.slice(1));
    }
  }
  throw new Error(`graphql-js tells of a change in new words: ${description}`);
}

/** The coordinates that the sections for the coming release name as breaking: those above the section of the last one. */
export function breakingEntries(changelog, release) {
  const named = new Set();
  let isBreaking = false;
  for (const line of changelog.split(/\r?\n/)) {
    const heading = /^(#+)\s*(.*)$/.exec(line);
    if (heading?.[1] === "##" && versionIn(heading[2]) === versionIn(release)) {
      break;
    }
    if (heading) {
      isBreaking = heading[1] === "###" && heading[2].trim() === "Breaking";
    } else if (isBreaking) {
      [...line.matchAll(/`([^`]+)`/g)].forEach(([, code]) => named.add(code));
    }
  }
  return named;
}

const versionIn = (text) => /\d+\.\d+\.\d+[-+.\w]*/.exec(text)?.[0];

function* deprecations(schema) {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith("__")) {
      continue;
    }
    const members = isEnumType(type) ? type.getValues() : Object.values(type.getFields?.() ?? {});
    for (const member of members) {
      const coordinate = `${type.name}.${member.name}`;
      const args = (member.args ?? []).map((arg) => [`${coordinate}(${arg.name}:)`, arg]);
      for (const [place, { deprecationReason: reason }] of [[coordinate, member], ...args]) {
        if (reason != null) {
          yield { coordinate: place, type, reason };
        }
      }
    }
  }
  for (const directive of schema.getDirectives().filter((directive) => !isSpecifiedDirective(directive))) {
    for (const { name, deprecationReason: reason } of directive.args.filter((arg) => arg.deprecationReason != null)) {
      yield { coordinate: `@${directive.name}(${name}:)`, reason };
    }
  }
}

/** What a reason does not say. */
function misgivings({ coordinate, type, reason }, schema) {
  const names = [...reason.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
  const missing = [];
  if (!names.some((name) => isThere(schema, name) || isThere(schema, `${type?.name}.${name}`))) {
    missing.push("what replaces it, in backticks and as the schema has it");
  }
  if (!dateIn(reason)) {
    missing.push("the date (YYYY-MM-DD) until which it stays");
  }
  return missing.map((what) => `\`${coordinate}\` is deprecated, and its reason does not say ${what}.`);
}

function dateIn(reason) {
  const dates = [...reason.matchAll(/\b\d{4}-\d{2}-\d{2}\b/g)].map(([date]) => date);
  return dates.find((date) => new Date(`${date}T00:00:00Z`).toJSON()?.startsWith(date));
}

function isThere(schema, coordinate) {
  const [, typeName, memberName, argName] = /^(\w+)(?:\.(\w+)(?:\((\w+):\))?)?$/.exec(coordinate) ?? [];
  const type = schema.getType(typeName);
  if (!type || !memberName) {
    return type != null;
  }
  const member = isEnumType(type) ? type.getValue(memberName) : type.getFields?.()[memberName];
  return member != null && (!argName || (member.args ?? []).some((arg) => arg.name === argName));
}

/** What graphql-js does not look at. */
function* unnoticed(old, now, deprecatedBefore) {
  for (const before of Object.values(old.getTypeMap())) {
    const after = now.getType(before.name);
    if (isInputObjectType(before) && isInputObjectType(after) && before.isOneOf !== after.isOneOf) {
      yield `${before.name} ${after.isOneOf ? "takes" : "no longer takes"} exactly one of its keys.`;
    }
    if (after && before.specifiedByURL !== after.specifiedByURL) {
      yield `${before.name} is specified by ${after.specifiedByURL ?? "nothing"}, no longer by ${before.specifiedByURL ?? "nothing"}.`;
    }
    const widened = [isObjectType, isInterfaceType].some((is) => is(before) && is(after));
    const fields = widened ? Object.values(before.getFields()) : [];
    for (const { name, type } of fields) {
      const field = after.getFields()[name];
      if (field && String(field.type) === `${type}!`) {
        yield `${before.name}.${name} is never null from now on.`;
      }
    }
  }
  for (const { coordinate } of deprecations(now)) {
    if (!deprecatedBefore.has(coordinate)) {
      yield `${coordinate} is deprecated now.`;
    }
  }
}

const git = (...args) => execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

/** The newest release that this commit comes from, and its schema. */
function released() {
  try {
    const tags = git("-c", "versionsort.suffix=-", "tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname");
    const [release] = tags.split("\n").filter((tag) => versionIn(tag));
    return release ? { release, before: git("show", `${release}:schema.graphql`) } : {};
  } catch {
    return {};
  }
}

function main(today = new Date().toJSON().slice(0, 10)) {
  const { release, before = null } = released();
  const [after, changelog] = ["schema.graphql", "CHANGELOG.md"].map((file) => readFileSync(file, "utf8"));
  const { breaking, wrong, felt } = judge({ before, after, changelog, release, today });
  console.log(
    before === null
      ? "There is no release to compare the schema with: no tag v* leads here."
      : `Changes of the schema since ${release}: ${breaking} breaking, ${felt.length} others that clients may feel.`,
  );
  felt.forEach((change) => console.log(`- ${change}`));
  wrong.forEach((sentence) => console.error(sentence));
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(...process.argv.slice(2));
}
