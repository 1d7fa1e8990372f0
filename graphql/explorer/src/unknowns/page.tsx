import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { asOf, linkTo, useParameters } from '../address';
import type { EndingKind, NodeBriefFragment } from '../gql/graphql';
import { Icon } from '../icons';
import { Failed, Loading } from '../states';
import { day, detail, hue, legible, plural, title } from '../words';
import { type Found, type List, LISTS, NAMES, PARTS } from './lists';
import './unknowns.css';

const PAGE = 50;

const ABOUT: Record<List, string> = {
  datasets: 'Some job reads them, and none is known to write them: where their data comes from is not known. Let the job that writes them report to this server.',
  runs: 'Nothing was heard of them for a day and no event says how they ended, or their application ended and they did not. What they wrote is not current.',
  models: 'No version of them has an approval that stands. The release gate waits where a binding asks for approvals.',
  ending: 'Allows that nobody has deployed yet, approvals and waivers, each within 14 days.',
};

const NONE: Record<List, string> = {
  datasets: 'Whatever is read here is also written here.',
  runs: 'Every run ended, or was heard of within a day.',
  models: 'Every model has a version with an approval.',
  ending: 'Nothing ends within 14 days.',
};

const KINDS: Record<EndingKind, string> = { ALLOW: 'allow, not used yet', APPROVAL: 'approval', WAIVER: 'waiver' };

/** What nobody can answer yet, and what is about to end: each list behind a number of the overview. */
export default function UnknownsPage() {
  const [parameters, change] = useParameters();
  const list = LISTS.find((one) => one === parameters.get('list')) ?? 'datasets';
  const at = asOf(parameters) ?? null;
  const after = parameters.get('after');
  const found = useQuery({
    queryKey: ['unknowns', list, at, after],
    queryFn: async ({ signal }) => PARTS[list]({ at, first: PAGE, after }, signal),
  });
  useEffect(() => {
    document.title = `${NAMES[list]} · Lineward`;
  }, [list]);
  return (
    <div className="page">
      <div className="headline">
        <h1>{NAMES[list]}</h1>
        {found.data && <p className="dim">{found.data.totalCount.toLocaleString('en')}</p>}
      </div>
      <nav className="lists" aria-label="Lists">
        {LISTS.map((one) => <Link key={one} href={linkTo('/unknowns', parameters, { list: one })} aria-current={one === list ? 'page' : undefined}>{NAMES[one]}</Link>)}
      </nav>
      <p className="dim about">{ABOUT[list]}</p>
      {found.isPending ? (
        <Loading what="Looking" />
      ) : found.isError ? (
        <Failed error={found.error} again={() => void found.refetch()} />
      ) : (
        <>
          {list === 'runs' && <Examined found={found.data as Found<'runs'>} />}
          {found.data.nodes.length === 0 ? (
            <p>{NONE[list]}</p>
          ) : list === 'ending' ? (
            <Endings found={found.data as Found<'ending'>} />
          ) : (
            <Nodes nodes={found.data.nodes as readonly NodeBriefFragment[]} list={list} />
          )}
          <div className="acts">
            {after && <button className="button" onClick={() => change({ after: null })}>From the first</button>}
            {found.data.pageInfo.hasNextPage && <button className="button" onClick={() => change({ after: found.data.pageInfo.endCursor })}>Next {PAGE}</button>}
          </div>
        </>
      )}
    </div>
  );
}

function Examined({ found }: { found: Found<'runs'> }) {
  if (found.examined >= found.runs) return null;
  return <p className="dim about">Among the last {found.examined.toLocaleString('en')} of {plural(found.runs, 'run')}; earlier ones were not looked at.</p>;
}

function Nodes({ nodes, list }: { nodes: readonly NodeBriefFragment[]; list: List }) {
  const [parameters] = useParameters();
  return (
    <table>
      <thead>
        <tr><th scope="col">Name</th>{list === 'runs' && <th scope="col">Run</th>}<th scope="col">Namespace</th></tr>
      </thead>
      <tbody>
        {nodes.map((node) => (
          <tr key={node.id}>
            <th scope="row"><Icon of={hue(node.kind)} /><Link href={linkTo('/lineage', parameters, { of: node.id, ...(list !== 'runs' && { grain: 'JOB' }) })}><bdi>{title(node)}</bdi></Link></th>
            {list === 'runs' && <td><code>{detail(node)}</code></td>}
            <td className="dim"><bdi>{legible(node.namespace ?? '')}</bdi></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Endings({ found }: { found: Found<'ending'> }) {
  const [parameters] = useParameters();
  return (
    <table>
      <thead>
        <tr><th scope="col">Ends (UTC)</th><th scope="col">What</th><th scope="col">Of</th><th scope="col">For</th><th scope="col">By</th></tr>
      </thead>
      <tbody>
        {found.nodes.map((one) => (
          <tr key={one.act?.id ?? `${one.until} ${one.what}`}>
            <th scope="row">{day(one.until)}</th>
            <td>{one.kind === 'ALLOW' && one.act ? <Link href={linkTo(`/decisions/${encodeURIComponent(one.act.id)}`, parameters)}>{KINDS[one.kind]}</Link> : KINDS[one.kind]}</td>
            <td>{one.target ? <Link href={linkTo('/lineage', parameters, { of: one.target.id })}><bdi>{title(one.target)}</bdi> <code>{detail(one.target)}</code></Link> : <b className="tag gap">not shown</b>}</td>
            <td><bdi>{legible(one.what)}</bdi></td>
            <td><bdi>{legible(one.by)}</bdi></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
