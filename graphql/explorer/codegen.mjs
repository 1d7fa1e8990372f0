// Types for every operation in src/**/*.graphql, from the schema as it is written down.
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
for (const section of sections) await writeFile(section.filename, await codegen({ ...section, profiler: undefined }));
