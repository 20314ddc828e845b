// Composes the schema on standard input with another subgraph, as InterlinedList's own could be: it points at records
// by their ids, and adds a field to a page.

import assert from "node:assert/strict";
import { text } from "node:stream/consumers";

import { composeServices } from "@theguild/federation-composition";
import { buildSchema, parse } from "graphql";

const posts = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
  type Query { posts: [Post!]! }
  type Post @key(fields: "id") {
    id: ID!
    postedTo: LinkedInTarget
    organization: Organization
  }
  union LinkedInTarget = OrgPage | PersonalPage
  type OrgPage @key(fields: "pageId") { pageId: ID! posts: [Post!]! }
  type PersonalPage @key(fields: "personalPageId", resolvable: false) { personalPageId: ID! }
  type Organization @key(fields: "slug", resolvable: false) { slug: String! }
`;
const subgraph = (name, sdl) => ({ name, url: `http://${name}.invalid`, typeDefs: parse(sdl) });

const { errors, publicSdl } = composeServices([
  subgraph("targets", await text(process.stdin)),
  subgraph("posts", posts),
]);

assert.equal(errors, undefined, String(errors));
const whole = buildSchema(publicSdl);
const fields = (type) => Object.keys(whole.getType(type).getFields());
assert.ok(fields("OrgPage").includes("label") && fields("OrgPage").includes("posts"));
const targets = whole.getPossibleTypes(whole.getType("LinkedInTarget")).map((type) => type.name);
assert.deepEqual(targets.sort(), ["OrgPage", "Personal", "PersonalPage"]);
console.log(Object.keys(whole.getQueryType().getFields()).sort().join(" "));
