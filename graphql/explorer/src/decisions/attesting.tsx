import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ask } from '../ask';
import { AttestationTypesDocument, AttestDocument, type JudgedFragment } from '../gql/graphql';
import { legible, word } from '../words';
import { answered, facts } from './acts';
import { Acting, ahead, type Bound, Dialog, type Fact, instant, text } from './dialog';
import { caption, propertiesOf, type Property, statementOf } from './statement';
import { canonical, type Json, strictObject } from './strict';
import { digestOf } from './verification';
import { useViewer } from '../shell/viewer';
import { brief, second, wholeName } from './words';

const YEAR = 365 * 86_400_000;
const OWN = '…';

/** A person's typed statement about the version, its model, or something that a verdict rests on. */
export function Attest({ about, button = 'Attest' }: { about: readonly JudgedFragment[]; button?: string }) {
  return (
    <Dialog button={button} title="State what no system reports">
      {(close) => <Attesting about={about} close={close} />}
    </Dialog>
  );
}

function Attesting({ about, close }: { about: readonly JudgedFragment[]; close: () => void }) {
  const viewer = useViewer();
  const queries = useQueryClient();
  const [target, setTarget] = useState(about[0]!);
  const [type, setType] = useState('');
  const types = useQuery({ queryKey: ['attestation types', target.kind], queryFn: ({ signal }) => ask(AttestationTypesDocument, { about: target.kind }, signal), staleTime: Infinity }).data?.attestationTypes ?? [];
  const chosen = types.find(({ name }) => name === type);
  const properties: Property[] = chosen ? propertiesOf(strictObject(chosen.schema)) : type === OWN ? [SUMMARY] : [];
  const bind = async (given: FormData): Promise<Bound | string> => {
    const name = type === OWN ? text(given, 'ownType') : type;
    const expiresAt = instant(given, 'expiresAt');
    if (!name || !expiresAt) return 'A statement has a type and an end.';
    const document = given.get('document');
    const [role, documentUri, effectiveAt] = [text(given, 'role'), text(given, 'documentUri'), instant(given, 'effectiveAt')];
    let statement;
    try {
      statement = statementOf(properties, given);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const documentDigest = document instanceof File && document.size > 0 ? await digestOf(await document.arrayBuffer()) : undefined;
    return {
      facts: [
        ['about', word(target.kind)],
        ...facts({ version: target }),
        ['type', <bdi key="t">{`${name}: ${chosen?.meaning ?? 'a type of your own'}`}</bdi>],
        ...Object.entries(statement).map(([key, value]) => [caption(key), shown(value)] as Fact),
        ...(documentDigest ? [['document', <code key="d">{documentDigest}</code>] as Fact] : []),
        ...(documentUri ? [['it lies at', documentUri] as Fact] : []),
        ...(role ? [['in the role', legible(role)] as Fact] : []),
        ['since', effectiveAt ? `${second(effectiveAt)} UTC` : 'now'],
        ['until', `${second(expiresAt)} UTC`],
        ...(target.kind === 'MODEL_VERSION' ? [['binds', 'what the version is made of now: another closure, and it no longer counts'] as Fact] : []),
      ],
      verb: 'State this',
      run: async () => {
        const input = {
          target: { id: target.id },
          type: name,
          statement,
          expiresAt,
          documentDigest: documentDigest ?? null,
          documentUri: documentUri ?? null,
          role: role ?? null,
          effectiveAt: effectiveAt ?? null,
        };
        return answered('statement', (await ask(AttestDocument, { input })).attest);
      },
    };
  };
  return (
    <Acting bind={bind} close={close} after={() => void queries.invalidateQueries()}>
      <label>
        About
        <select value={target.id} onChange={(event) => (setTarget(about.find(({ id }) => id === event.target.value)!), setType(''))}>
          {about.map((each) => <option key={each.id} value={each.id}>{`${word(each.kind)} ${brief(wholeName(each), 60)}`}</option>)}
        </select>
      </label>
      <label>
        Type of the statement
        <select required value={type} onChange={(event) => setType(event.target.value)}>
          <option value="">choose one</option>
          {types.map(({ name, meaning }) => <option key={name} value={name}>{`${name}: ${brief(meaning, 60)}`}</option>)}
          <option value={OWN}>a type of your own</option>
        </select>
      </label>
      {chosen && <p className="dim">{chosen.meaning}</p>}
      {type === OWN && <label>Its name <span className="dim">lower_snake_case</span><input name="ownType" required pattern="[a-z0-9_]+" spellCheck={false} /></label>}
      <div className="fields" key={`${target.kind} ${type}`}><Fields of={properties} /></div>
      <label>Until (UTC)<input type="datetime-local" name="expiresAt" required min={ahead(60_000)} defaultValue={ahead(YEAR)} /></label>
      <details>
        <summary>Document, role, beginning</summary>
        <label>Document behind it <span className="dim">it stays here: its digest is bound</span><input type="file" name="document" /></label>
        <label>Where that document lies<input name="documentUri" spellCheck={false} maxLength={4000} /></label>
        <label>Since (UTC) <span className="dim">left empty: now</span><input type="datetime-local" name="effectiveAt" /></label>
        {viewer && viewer.roles.length > 0 && (
          <label>In the role<select name="role"><option value="">none</option>{viewer.roles.map((role) => <option key={role} value={role}>{legible(role)}</option>)}</select></label>
        )}
      </details>
    </Acting>
  );
}

const SUMMARY: Property = { path: 'summary', name: 'summary', kind: 'text', isRequired: false, note: '', pattern: undefined, least: undefined, inner: [] };

function Fields({ of }: { of: readonly Property[] }) {
  return of.map((property) =>
    property.kind === 'part' ? (
      <fieldset key={property.path}>
        <legend>{caption(property.name)}</legend>
        <div className="fields"><Fields of={property.inner} /></div>
      </fieldset>
    ) : (
      <label key={property.path}>
        {caption(property.name)} <span className="dim">{[property.isRequired ? 'has to be said' : '', property.note, HINTS[property.kind] ?? ''].filter(Boolean).join(', ')}</span>
        <Field of={property} />
      </label>
    ),
  );
}

const HINTS: Partial<Record<Property['kind'], string>> = { lines: 'one a line', time: 'UTC', json: 'JSON, or a word' };

function Field({ of: { path, kind, isRequired, pattern, least } }: { of: Property }) {
  const common = { name: path, required: isRequired };
  switch (kind) {
    case 'flag':
      return <select {...common}><option value="">not said</option><option value="true">yes</option><option value="false">no</option></select>;
    case 'lines':
    case 'json':
      return <textarea {...common} rows={2} spellCheck={false} />;
    case 'time':
      return <input {...common} type="datetime-local" />;
    case 'number':
    case 'integer':
      return <input {...common} type="number" step={kind === 'integer' ? 1 : 'any'} min={least} />;
    default:
      return <input {...common} maxLength={1000} pattern={pattern} />;
  }
}

function shown(value: Json): string {
  return typeof value === 'string' ? value : typeof value === 'boolean' ? (value ? 'yes' : 'no') : Array.isArray(value) ? value.map(shown).join(', ') : canonical(value);
}
