// Types for every operation in src/**/*.graphql, from the schema as it is written down; and the texts as they are sent,
// so that a server which runs none but known operations knows these.
import { codegen } from '@graphql-codegen/core';
import { preset } from '@graphql-codegen/client-preset';
import { buildSchema, parse } from 'graphql';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const OUTPUT = 'src/gql/';
const sdl = await readFile('../schema.graphql', 'utf8');
const files = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.graphql')).sort();
const documents = await Promise.all(
  files.map(async (name) => {
    const rawSDL = await readFile(path.join('src', name), 'utf8');
    return { document: parse(rawSDL), rawSDL, location: name };
  }),
);
const sections = await preset.buildGeneratesSection({
  baseOutputDir: OUTPUT,
  schema: parse(sdl),
  schemaAst: buildSchema(sdl),
  documents,
  config: {
    documentMode: 'string',
    enumsAsTypes: true,
    useTypeImports: true,
    scalars: { DateTime: 'string', Long: 'number' },
  },
  presetConfig: { fragmentMasking: false },
  plugins: [],
  pluginMap: {},
  pluginContext: {},
  profiler: { run: (work) => work(), collect: () => [] },
  documentTransforms: [],
});
await mkdir(OUTPUT, { recursive: true });
for (const section of sections) {
  const text = await codegen({ ...section, profiler: undefined });
  if (section.filename.endsWith('/graphql.ts')) {
    await writeTexts(text);
    await writeApart(text);
  } else await writeFile(section.filename, text);
}

/** Each operation in a module of its own, so that a page brings along only those that it asks. */
async function writeApart(text) {
  const shared = text.match(/^export class TypedDocumentString[^]*?^}$/m)[0];
  const operations = [...text.matchAll(/^export const (\w+) = new TypedDocumentString\([^]*?\) as unknown as TypedDocumentString<(\w+), (\w+)>;$/gm)];
  const decoration = text.match(/^import .*DocumentTypeDecoration.*$/m)[0];
  await writeFile(`${OUTPUT}document.ts`, `${decoration}\n\n${shared}\n`);
  let types = text.replace(decoration, '').replace(shared, "export { TypedDocumentString } from './document';");
  for (const [whole, name, ...used] of operations) {
    const names = used.filter((one) => one !== 'unknown').join(', ');
    const head = `import { TypedDocumentString } from './document';\nimport type { ${names} } from './graphql';\n\n`;
    await writeFile(`${OUTPUT}${name}.ts`, head + whole.replace('= new', '= /*#__PURE__*/ new') + '\n');
    types = types.replace(whole, `export { ${name} } from './${name}';`);
  }
  await writeFile(`${OUTPUT}graphql.ts`, types);
}

/** The text of every operation as it is sent, for servers with a closed list of them. */
async function writeTexts(generated) {
  const texts = [...generated.matchAll(/^export const \w+Document = new TypedDocumentString\(`([^`]*)`/gm)].map(([, text]) => text);
  const operations = documents.flatMap(({ document }) => document.definitions).filter(({ kind }) => kind === 'OperationDefinition');
  if (texts.length !== operations.length) throw new Error(`${operations.length} operations are written, and ${texts.length} were found as they are sent.`);
  await mkdir('public/gql', { recursive: true });
  await writeFile('public/gql/operations.json', JSON.stringify(texts));
}
