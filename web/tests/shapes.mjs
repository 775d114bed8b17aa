// Holds the names in src/api/shapes.ts against docs/openapi.json: the page reads no field that the server does not write.
import { readFileSync } from 'node:fs';
import ts from 'typescript';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const schemas = JSON.parse(read('../../docs/openapi.json')).components.schemas;
const source = ts.createSourceFile('shapes.ts', read('../src/api/shapes.ts'), ts.ScriptTarget.Latest);

/** Every property a schema can have, through references and combinations. */
function properties(schema) {
  if (!schema) return [];
  if (schema.$ref) return properties(schemas[schema.$ref.split('/').at(-1)]);
  const parts = [...(schema.allOf ?? []), ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  return [...Object.keys(schema.properties ?? {}), ...parts.flatMap(properties)];
}

// Never written back, so the document leaves it out; requests carry it all the same.
const WRITE_ONLY = ['ConnectRequest.password'];
let held = 0;
const strangers = [];
source.forEachChild((node) => {
  if (!ts.isInterfaceDeclaration(node) || !schemas[node.name.text]) return;
  const known = properties(schemas[node.name.text]);
  held += 1;
  const names = node.members.map((member) => member.name.text).filter((name) => !known.includes(name));
  strangers.push(...names.map((name) => `${node.name.text}.${name}`).filter((name) => !WRITE_ONLY.includes(name)));
});
if (held < 15) strangers.push(`only ${held} shapes are in the document`);
if (strangers.length > 0) {
  console.error(`src/api/shapes.ts and docs/openapi.json differ: ${strangers.join(', ')}`);
  process.exitCode = 1;
} else console.log(`${held} shapes agree with docs/openapi.json`);
