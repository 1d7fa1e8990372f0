import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { legible, plural, shortVersion } from '../words';
import type { Dataset, Evidence } from './evidence';
import { List, NotKnown } from './said';

const SHOWN = 100;

/** Every dataset version behind the model with its licence and what is sensitive in it; then the columns that reach it. */
export function Data({ evidence }: { evidence: Evidence }) {
  const training = (evidence.trainingDatasets ?? []).toSorted((a, b) => Number(b.direct ?? false) - Number(a.direct ?? false));
  const rows = [
    ...training.map((one) => ({ one, role: one.direct ? 'training' : 'upstream' })),
    ...(evidence.validationDatasets ?? []).map((one) => ({ one, role: 'validation' })),
    ...(evidence.testDatasets ?? []).map((one) => ({ one, role: 'test' })),
  ];
  return (
    <>
      {rows.length === 0 ? <p><NotKnown what="no data" /> No run named the data that this version was trained on.</p> : <Datasets rows={rows.slice(0, SHOWN)} />}
      {rows.length > SHOWN && <p className="dim">The first {SHOWN} of {plural(rows.length, 'dataset version')}: the evidence, below, has all.</p>}
      <h3>Sensitive columns that reach it</h3>
      <Columns evidence={evidence} />
    </>
  );
}

function Datasets({ rows }: { rows: { one: Dataset; role: string }[] }) {
  const [parameters] = useParameters();
  return (
    <table>
      <thead><tr><th scope="col">Dataset</th><th scope="col">As</th><th scope="col">Licence</th><th scope="col">Personal data</th><th scope="col">Origin</th><th scope="col">Owner</th></tr></thead>
      <tbody>
        {rows.map(({ one, role }, index) => (
          <tr key={`${role} ${one.id} ${index}`}>
            <th scope="row">
              <Link href={linkTo('/lineage', parameters, { of: one.id })}><bdi>{legible(one.name)}</bdi></Link>
              <span className="second"><Version of={one} /> <bdi className="dim">{legible(one.namespace)}</bdi></span>
            </th>
            <td>{role}{one.external && <span className="second dim">from outside</span>}</td>
            <td>{said(one, one.licence && <bdi>{legible(one.licence)}</bdi>)}</td>
            <td><Personal of={one} /></td>
            <td>{said(one, one.origin?.source && <bdi>{legible(one.origin.source)}</bdi>)}<span className="second dim">{[one.origin?.method, one.storage?.country].filter(Boolean).map((text) => legible(text!)).join(', ')}</span></td>
            <td>{said(one, one.owner && <bdi>{legible(one.owner)}</bdi>)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Version({ of }: { of: Dataset }) {
  const name = of.version ?? of.digest;
  return name ? <code title={legible(name)}>{legible(shortVersion(name))}</code> : <NotKnown what="no fixed version" />;
}

/** Of what is made from others the sources say it: their own rows do. */
function said(one: Dataset, value: ReactNode): ReactNode {
  if (value) return value;
  return one.derived ? <span className="dim">as its sources</span> : <NotKnown />;
}

function Personal({ of }: { of: Dataset }) {
  const special = of.specialCategories ?? [];
  if (of.personalData === undefined) return special.length > 0 ? <List of={special} /> : said(of, undefined);
  return (
    <>
      {of.personalData ? 'yes' : 'no'}
      {special.length > 0 ? <span className="second"><b className="tag gap">special</b><List of={special} /></span> : of.personalData && of.specialCategories === undefined && <span className="second"><NotKnown what="special categories not known" /></span>}
      {of.lawfulBasis && <span className="second dim"><bdi>{legible(of.lawfulBasis)}</bdi></span>}
    </>
  );
}

function Columns({ evidence }: { evidence: Evidence }) {
  const [parameters] = useParameters();
  const columns = evidence.inputColumns ?? [];
  const coverage = evidence.lineage.columnCoverage;
  const isWhole = coverage === 1;
  return (
    <>
      {columns.length === 0 ? (
        <p className={isWhole ? 'dim' : undefined}>{isWhole ? 'No column with a label of sensitivity reaches it.' : <><NotKnown what="not known" /> No labelled column is known to reach it; not every step says which columns it used.</>}</p>
      ) : (
        <table>
          <thead><tr><th scope="col">Column</th><th scope="col">Labels</th><th scope="col">On its way</th><th scope="col">Reason recorded</th></tr></thead>
          <tbody>
            {columns.slice(0, SHOWN).map((one, index) => (
              <tr key={`${one.id} ${index}`}>
                <th scope="row"><Link href={linkTo('/lineage', parameters, { of: one.id, grain: 'FIELD' })}><bdi>{legible(one.field)}</bdi></Link><span className="second dim">in <bdi>{legible(one.dataset)}</bdi></span></th>
                <td>{one.labels.map((label) => <b key={label} className="tag gap"><bdi>{legible(label)}</bdi></b>)}</td>
                <td>{one.masked ? 'masked on every way' : 'not masked'}</td>
                <td>{one.justification ? 'yes' : <b className="tag gap">none</b>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {columns.length > SHOWN && <p className="dim">The first {SHOWN} of {plural(columns.length, 'column')}.</p>}
      {coverage !== undefined && !isWhole && columns.length > 0 && <p><NotKnown what="incomplete" /> Of the steps behind it {Math.round(coverage * 100)} % say which columns they used; of the others every column counts as used.</p>}
    </>
  );
}
