import { day, legible } from '../words';
import type { DossierStatementFragment, State } from '../gql/graphql';
import type { Evidence } from './evidence';
import type { Version } from './page';
import { List } from './said';

const NARROW = matchMedia('(width < 640px)');

export function Acts({ version, evidence }: { version: Version; evidence: Evidence | undefined }) {
  const narrow = NARROW.matches ? { tabIndex: 0 } : {}; // there it scrolls sideways, by keyboard too
  const statements = [...version.attestations, ...(version.model?.attestations ?? [])];
  const stale = new Map((evidence?.approvals ?? []).filter(({ current }) => current === false).map(({ id, changed }) => [id, changed ?? []]));
  return (
    <>
      <h3>Approvals</h3>
      {version.approvals.length === 0 ? <p className="dim">Nobody has approved this version.</p> : (
        <table {...narrow}>
          <thead><tr><th scope="col" className="who">By</th><th scope="col">Stands</th><th scope="col">For</th><th scope="col" className="when">Given (UTC)</th><th scope="col" className="when">Until</th></tr></thead>
          <tbody>
            {version.approvals.map((one) => (
              <tr key={one.id}>
                <th scope="row"><bdi>{legible(one.by)}</bdi>{one.role && <span className="second dim">as <bdi>{legible(one.role)}</bdi></span>}</th>
                <td>
                  <Stands state={one.state} by={one.revokedBy} />
                  {stale.has(one.id) && <span className="second"><b className="tag gap">of what it no longer is</b>{stale.get(one.id)!.map(legible).join('; ')}</span>}
                </td>
                <td><bdi>{legible(one.environment)}</bdi>{one.use && <span className="second dim"><bdi>{legible(one.use)}</bdi></span>}{one.conditions.length > 0 && <span className="second dim">if <List of={one.conditions} /></span>}</td>
                <td>{day(one.at)}</td>
                <td>{one.until ? day(one.until) : 'no end'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h3>Waivers</h3>
      {version.waivers.length === 0 ? <p className="dim">No control is set aside for this version.</p> : (
        <table {...narrow}>
          <thead><tr><th scope="col">Control</th><th scope="col">Stands</th><th scope="col">Why, and what is done instead</th><th scope="col" className="who">By</th><th scope="col" className="when">Until (UTC)</th></tr></thead>
          <tbody>
            {version.waivers.map((one) => (
              <tr key={one.id}>
                <th scope="row"><code>{legible(one.control)}</code><span className="second dim"><bdi>{legible(one.pack)}</bdi>{one.items.length > 0 && `, ${one.items.length} of its items`}</span></th>
                <td><Stands state={one.state} by={one.revokedBy} />{one.breakGlass && <b className="tag removed">one person alone</b>}</td>
                <td><bdi>{legible(one.reason ?? '')}</bdi><span className="second dim"><bdi>{legible(one.compensatingControl)}</bdi></span></td>
                <td><bdi>{legible(one.by)}</bdi><span className="second dim">{one.countersignedBy ? <>and <bdi>{legible(one.countersignedBy)}</bdi></> : 'no second person'}</span></td>
                <td>{one.until ? day(one.until) : 'no end'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h3>Statements of people</h3>
      {statements.length === 0 ? <p className="dim">Nobody has stated anything of this version or its model.</p> : (
        <table {...narrow}>
          <thead><tr><th scope="col">Type</th><th scope="col">Stands</th><th scope="col">What</th><th scope="col" className="who">By</th><th scope="col" className="when">Until (UTC)</th></tr></thead>
          <tbody>
            {statements.map((one) => (
              <tr key={one.id}>
                <th scope="row"><bdi>{legible(one.type)}</bdi>{!version.attestations.includes(one) && <span className="second dim">of the model</span>}</th>
                <td><Stands state={one.state} by={one.revokedBy} /></td>
                <td><Said of={one} /></td>
                <td><bdi>{legible(one.by)}</bdi>{one.role && <span className="second dim">as <bdi>{legible(one.role)}</bdi></span>}</td>
                <td>{one.until ? day(one.until) : 'no end'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

const STANDS: Record<State, string> = { STANDING: 'stands', PROPOSED: 'waits for a second person', REVOKED: 'revoked', EXPIRED: 'expired' };

function Stands({ state, by }: { state: State; by: string | null | undefined }) {
  return <>{state === 'STANDING' ? STANDS[state] : <b className={state === 'PROPOSED' ? 'tag gap' : 'tag'}>{STANDS[state]}</b>}{by && <span className="second dim">by <bdi>{legible(by)}</bdi></span>}</>;
}

function words(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ');
  return JSON.stringify(value);
}

function Said({ of }: { of: DossierStatementFragment }) {
  const said = Object.entries(JSON.parse(of.statement) as Record<string, unknown>);
  return (
    <>
      {said.map(([name, value]) => <span key={name} className="pair"><span className="dim">{legible(name)}</span> <bdi>{legible(words(value))}</bdi></span>)}
      {of.documentUri && <span className="pair"><span className="dim">document</span> <bdi>{legible(of.documentUri)}</bdi></span>}
    </>
  );
}
