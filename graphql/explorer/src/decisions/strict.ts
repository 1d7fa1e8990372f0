/** JSON with one meaning only, and its canonical form: what digests and signatures are taken over. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

const DEEPEST = 100;
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/**
 * The object in a text, refused where two readers could understand it differently: a name that occurs twice in one
 * object, a number that a double cannot hold, half a character. The command line refuses the same.
 */
export function strictObject(text: string): JsonObject {
  const found = JSON.parse(text) as Json;
  if (!isObject(found)) throw new Error('It is no JSON object.');
  const names: (Set<string> | null)[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') names.push(token === '{' ? new Set() : null);
    else if (token === '}' || token === ']') names.pop();
    else if (token === ':') {
      const name = JSON.parse(last) as string;
      const seen = names.at(-1)!;
      if (seen.has(name)) throw new Error(`The name ${name} occurs twice in one object.`);
      seen.add(name);
    } else if (token.startsWith('"')) {
      if (LONE.test(JSON.parse(token) as string)) throw new Error('A text holds half a character.');
    } else if (/^-?\d/.test(token)) checkNumber(token);
    if (names.length > DEEPEST) throw new Error(`It is nested deeper than ${DEEPEST}.`);
    last = token;
  }
  return found;
}

function checkNumber(token: string): void {
  const number = Number(token);
  const isUnsafe = /^-?\d+$/.test(token) ? Math.abs(number) > Number.MAX_SAFE_INTEGER : !Number.isFinite(number);
  if (isUnsafe) throw new Error(`${token.slice(0, 32)} is beyond the numbers that every reader has.`);
}

/** RFC 8785: JavaScript writes numbers and texts as it asks, and sorts names by their UTF-16 units. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`);
  return `{${members.join(',')}}`;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object where one is, else an empty one. */
export function part(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** A text where one is, else nothing. */
export function said(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
