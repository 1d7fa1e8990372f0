import { Fragment, type ReactNode } from 'react';
import { legible, plural } from '../words';
import type { Unknown } from './evidence';

const SHOWN = 8; // nodes of one field; a table of hundreds would hide what is to be done

/** Each field that nobody told, with the facet or statement that would tell it; and what the lineage leaves open. */
export function Unknowns({ missing, gaps, isCut }: { missing: readonly Unknown[]; gaps: readonly { kind: string; node: string; reason: string }[]; isCut: boolean | undefined }) {
  if (missing.length === 0 && gaps.length === 0 && !isCut) return <p className="dim">Nothing that a control reads, or that this page looks for, is missing; and the lineage has no gap.</p>;
  return (
    <ul className="unknowns">
      {isCut && <li>The lineage goes further than was followed: what lies beyond is not known here.</li>}
      {gaps.map((gap, index) => <li key={index}><b>{gap.kind.toLowerCase().replaceAll('_', ' ')}</b> {legible(gap.reason)}</li>)}
      {missing.map((one) => <li key={one.of}><Missing what={one} /></li>)}
    </ul>
  );
}

function Missing({ what: { of, fields, controls, lacking, ways } }: { what: Unknown }) {
  const only = fields.length === 1 ? fields[0] : undefined;
  const nodes = [...lacking];
  return (
    <details>
      <summary>
        <code>{of}{only?.name && `.${only.name}`}</code> <span className="dim">{only ? only.meaning : fields.map(({ name }) => name).join(', ')}</span>
        {controls.length > 0 && <span className="waits">{controls.slice(0, 6).join(', ')}{controls.length > 6 && ` and ${controls.length - 6} more`} {controls.length === 1 ? 'waits' : 'wait'} for it</span>}
      </summary>
      {nodes.length > 0 && <p>Missing of {nodes.slice(0, SHOWN).map(([id, name], index) => <span key={id}>{index > 0 && ', '}<bdi>{legible(name)}</bdi></span>)}{nodes.length > SHOWN && ` and ${plural(nodes.length - SHOWN, 'more', 'more')}`}.</p>}
      {!only && <dl className="facts">{fields.map(({ name, meaning }) => <Fragment key={name}><dt><code>{name || of}</code></dt><dd>{meaning}</dd></Fragment>)}</dl>}
      {ways.length === 0 ? <p>Nobody can send it: it follows from other fields.</p> : (
        <ul className="senders">
          {ways.map((way) => (
            <li key={`${way.kind} ${way.name}`}>
              <p>{(SENDERS[way.kind] ?? SENDERS.computed!)(legible(way.name))}{way.parts.length > 0 && <span className="dim"> ({way.parts.map(legible).join(', ')})</span>}</p>
              {way.snippet && <pre tabIndex={0}>{way.snippet.split('\n').map(legible).join('\n')}</pre>}
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

const SENDERS: Record<string, (name: string) => ReactNode> = {
  standard: (name) => <>Whoever sends the events, with the facet <b>{name}</b></>,
  custom: (name) => <>Whoever sends the events, with the facet <b>{name}</b></>,
  attested: (name) => <>A person, with a statement of the type <b>{name}</b></>,
  computed: (name) => <>Nobody: it is worked out from {name}</>,
};
