import { legible, plural } from '../words';
import { caption } from './statement';
import { isObject, type Json, type JsonObject, list, said } from './strict';
import { brief } from './words';

/** What each part of the evidence holds, closed until somebody wants to see it. */
export function Evidence({ of }: { of: JsonObject }) {
  const parts = Object.entries(of).filter(([name]) => name !== 'v');
  if (parts.length === 0) return <p className="dim">None was frozen.</p>;
  const empty = parts.filter(([, value]) => Array.isArray(value) && value.length === 0);
  return (
    <>
      {parts.filter((one) => !empty.includes(one)).map(([name, value]) => (
        <details key={name} className="evidence">
          <summary>{caption(name)} <span className="dim">{amount(value)}</span></summary>
          <pre tabIndex={0}>{JSON.stringify(value, null, 2)}</pre>
        </details>
      ))}
      {empty.length > 0 && <p className="dim evidence">None of: {empty.map(([name]) => caption(name).toLowerCase()).join(', ')}.</p>}
    </>
  );
}

function amount(value: Json): string {
  if (Array.isArray(value)) return value.length.toLocaleString('en');
  if (isObject(value)) return plural(Object.keys(value).length, 'field');
  return brief(legible(String(value)), 60);
}

/** Names of everything in the evidence that has an id. */
export function itemNames(evidence: JsonObject): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (value: Json): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isObject(value)) {
      const [id, name, version] = ['id', 'name', 'version'].map((key) => said(value[key]));
      if (id && name) found.set(id, version ? `${name}@${version}` : name);
      Object.values(value).forEach(visit);
    }
  };
  list(Object.values(evidence)).forEach(visit);
  return found;
}
