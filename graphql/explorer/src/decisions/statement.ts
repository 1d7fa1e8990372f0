/** The form of a typed statement: what its JSON Schema asks for, and what was put in, as the schema has it. */
import { isObject, type Json, type JsonObject, list, part, said } from './strict';

export type Kind = 'text' | 'time' | 'number' | 'integer' | 'flag' | 'lines' | 'json' | 'part';

export interface Property {
  path: string;
  name: string;
  kind: Kind;
  isRequired: boolean;
  note: string;
  pattern: string | undefined;
  least: number | undefined;
  inner: Property[];
}

/** The properties of an object's schema, in their order. */
export function propertiesOf(schema: JsonObject, root: JsonObject = schema, prefix = ''): Property[] {
  const required = list(schema['required']);
  return Object.entries(part(schema['properties'])).map(([name, written]) => {
    const found = resolved(part(written), root);
    const path = `${prefix}${name}`;
    const kind = kindOf(found);
    return {
      path,
      name,
      kind,
      isRequired: required.includes(name),
      note: said(part(written)['description']) || (kind === 'part' ? '' : said(found['description'])),
      pattern: said(found['pattern']) || undefined,
      least: typeof found['minimum'] === 'number' ? found['minimum'] : undefined,
      inner: kind === 'part' ? propertiesOf(found, root, `${path}.`) : [],
    };
  });
}

/** A schema without its references, and without the null that stands for what is not said. */
function resolved(schema: JsonObject, root: JsonObject): JsonObject {
  const named = /^#\/\$defs\/(.+)$/.exec(said(schema['$ref']))?.[1];
  if (named) return resolved(part(part(root['$defs'])[named]), root);
  const choices = list(schema['anyOf']).map(part).filter((each) => each['type'] !== 'null');
  return choices.length === 1 ? { ...schema, ...resolved(choices[0]!, root), anyOf: [] } : schema;
}

function kindOf(schema: JsonObject): Kind {
  switch (schema['type']) {
    case 'string':
      return schema['format'] === 'date-time' ? 'time' : 'text';
    case 'number':
    case 'integer':
      return schema['type'];
    case 'boolean':
      return 'flag';
    case 'array':
      return 'lines';
    case 'object':
      return isObject(schema['properties']) ? 'part' : 'json';
    default:
      return 'json';
  }
}

/** What was put in. Throws an Error that names the property where that cannot be. */
export function statementOf(properties: readonly Property[], given: FormData): JsonObject {
  const statement: JsonObject = {};
  for (const property of properties) {
    const value = property.kind === 'part' ? statementOf(property.inner, given) : valueOf(property, String(given.get(property.path) ?? '').trim());
    if (value === undefined || (property.kind === 'part' && Object.keys(value as JsonObject).length === 0)) continue;
    statement[property.name] = value;
  }
  return statement;
}

function valueOf({ kind, path }: Property, text: string): Json | undefined {
  if (text === '') return undefined;
  switch (kind) {
    case 'time':
      return new Date(`${text}Z`).toISOString();
    case 'number':
    case 'integer':
      return Number(text);
    case 'flag':
      return text === 'true';
    case 'lines':
      return text.split('\n').map((line) => line.trim()).filter(Boolean);
    case 'json':
      return jsonOf(path, text);
    default:
      return text;
  }
}

/** JSON where it is some; a bare word is a text. */
function jsonOf(path: string, text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    if (/^[[{"]/.test(text)) throw new Error(`${path} begins like JSON and is none.`);
    return text;
  }
}

/** `riskTier` as `Risk tier`. */
export function caption(name: string): string {
  const words = name.replace(/([A-Z0-9]+)/g, (found) => ` ${found.toLowerCase()}`);
  return (words.charAt(0).toUpperCase() + words.slice(1)).replace(/\b(eu|gpai|uri)\b/gi, (found) => found.toUpperCase());
}
