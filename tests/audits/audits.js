// Asks the server at GRAPHQL_URL everything that GraphQL over HTTP demands, and tells what it does otherwise.

import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.env.GRAPHQL_URL });
const failed = results.filter((result) => result.status !== "ok");
for (const { id, name, reason } of failed) {
  console.log(`${id} ${name}: ${reason}`);
}
console.log(`${results.length - failed.length} of ${results.length} audits passed`);
process.exitCode = failed.length === 0 && results.length > 0 ? 0 : 1;
