import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import { Link } from 'wouter';
import { asOf, linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { OverviewDocument, type OverviewQuery } from '../gql/graphql';
import { useLog } from '../shell/shell';
import { Empty, Failed, Loading } from '../states';
import { type List, LISTS, NAMES, PARTS } from '../unknowns/lists';
import { day, legible, shortVersion } from '../words';
import './overview.css';

type Interval = OverviewQuery['deployments']['nodes'][number];

export default function OverviewPage() {
  const [parameters] = useParameters();
  const at = asOf(parameters);
  const overview = useQuery({ queryKey: ['overview', at], queryFn: ({ signal }) => ask(OverviewDocument, { at: at ?? null }, signal) });
  useEffect(() => {
    document.title = 'Overview · Lineward';
  }, []);
  if (overview.isPending) return <Loading what="Loading the overview" />;
  if (overview.isError) return <Failed error={overview.error} again={() => void overview.refetch()} />;
  const { models, deployments } = overview.data;
  const current = deployments.nodes.filter(({ state, until }) => state !== 'ENDED' || (at?.valid && (!until || until > at.valid)));
  const silent = current.filter(({ state }) => state === 'UNKNOWN');
  const unlinked = deployments.nodes.filter(({ modelVersion }) => !modelVersion);
  const empty = models.nodes.filter(({ currentVersion }) => !currentVersion);
  if (models.totalCount === 0 && deployments.totalCount === 0) return <Welcome />;
  return (
    <div className="page overview">
      <div className="headline"><h1>Overview</h1></div>
      <dl className="figures">
        <Figure name="Models" value={models.totalCount} href={linkTo('/models', parameters)} />
        <Figure name="Serving now" value={current.length - silent.length} href="#serving" />
        <Figure name="Gone silent" value={silent.length} href="#unknown" warn />
        <Figure name="Intervals of service" value={deployments.totalCount} href="#served" />
        <LogFigure />
      </dl>
      <section id="serving" aria-labelledby="serving-title">
        <h2 id="serving-title">In service</h2>
        {current.length === 0 ? (
          <p className="dim">Nothing serves {at?.valid ? `at ${day(at.valid)} UTC` : 'now'}. {deployments.totalCount > 0 && 'What served before is listed below.'}</p>
        ) : (
          <Intervals intervals={current} />
        )}
      </section>
      <section id="unknown" aria-labelledby="unknown-title">
        <h2 id="unknown-title">Known unknowns</h2>
        <dl className="figures unknown">{LISTS.map((list) => <UnknownFigure key={list} list={list} />)}</dl>
        <ul className="unknowns">
          {silent.map((one) => <Unknown key={one.id}><NodeLink of={one.deployment} /> has not said a word for three heartbeats; whether it still serves is not known.</Unknown>)}
          {unlinked.map((one) => <Unknown key={one.id}><NodeLink of={one.deployment} /> serves, and which version of which model is not known.</Unknown>)}
          {empty.map((one) => <Unknown key={one.id}><NodeLink of={one} /> has no current version: it is named, and no completed run wrote it.</Unknown>)}
        </ul>
        {silent.length + unlinked.length + empty.length === 0 && <p className="dim">None among the models and services listed here.</p>}
      </section>
      <section id="served" aria-labelledby="served-title">
        <h2 id="served-title">Served before</h2>
        <Intervals intervals={deployments.nodes.filter((one) => !current.includes(one)).toReversed().slice(0, 20)} />
        {deployments.totalCount > deployments.nodes.length && <p className="dim">The first {deployments.nodes.length} of {deployments.totalCount.toLocaleString('en')} intervals are counted here; the <a href="/graphql">console</a> has all.</p>}
      </section>
    </div>
  );
}

function Figure({ name, value, href, warn }: { name: string; value: number; href: string; warn?: boolean }) {
  const shown = value.toLocaleString('en');
  return (
    <div data-warn={(warn && value > 0) || undefined}>
      <dt>{name}</dt>
      <dd>{href.startsWith('#') ? <a href={href}>{shown}</a> : <Link href={href}>{shown}</Link>}</dd>
    </div>
  );
}

/** How long one of the lists of what is not known is; a link to it. */
function UnknownFigure({ list }: { list: List }) {
  const [parameters] = useParameters();
  const at = asOf(parameters) ?? null;
  const found = useQuery({ queryKey: ['unknowns', list, at, 'count'], queryFn: async ({ signal }) => PARTS[list]({ at, first: 1, after: null }, signal) });
  const count = found.data?.totalCount;
  return (
    <div data-warn={(list !== 'ending' && count) || undefined}>
      <dt>{list === 'ending' ? 'About to end, 14 days' : NAMES[list]}</dt>
      <dd><Link href={linkTo('/unknowns', parameters, { list })}>{found.isError ? 'not told' : (count?.toLocaleString('en') ?? '…')}</Link></dd>
    </div>
  );
}

function LogFigure() {
  const log = useLog().data?.log;
  if (!log) return null;
  return (
    <div className="log">
      <dt>Log</dt>
      <dd>
        <a href="/readyz">{log.size.toLocaleString('en')}</a>
        <span className="dim">{log.projection.lagSeconds > 0 ? `${log.projection.lagSeconds.toFixed(1)} s behind` : 'all projected'} · {log.projection.store}</span>
        <code title="Root of the log">{log.root.slice(0, 16)}…</code>
      </dd>
    </div>
  );
}

function Intervals({ intervals }: { intervals: readonly Interval[] }) {
  const [parameters] = useParameters();
  if (intervals.length === 0) return <p className="dim">None.</p>;
  return (
    <table>
      <thead>
        <tr><th scope="col">Service</th><th scope="col">Model version</th><th scope="col">Environment</th><th scope="col">Role</th><th scope="col">Since (UTC)</th><th scope="col">Until</th></tr>
      </thead>
      <tbody>
        {intervals.map((one) => (
          <tr key={one.id}>
            <th scope="row"><NodeLink of={one.deployment} /></th>
            <td>
              {one.modelVersion ? (
                <Link href={linkTo(`/models/${one.modelVersion.id}`, parameters)}><bdi>{legible(one.modelVersion.name)}</bdi> <code>{legible(shortVersion(one.modelVersion.version))}</code></Link>
              ) : (
                <b className="tag gap">not known</b>
              )}
            </td>
            <td><bdi>{legible(one.environment ?? '–')}</bdi></td>
            <td><bdi>{legible(one.role)}</bdi>{typeof one.share === 'number' && one.share < 1 && ` ${Math.round(one.share * 100)} %`}</td>
            <td>{day(one.since)}</td>
            <td>{one.until ? day(one.until) : one.state === 'UNKNOWN' ? <b className="tag gap">not known</b> : 'serving'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function NodeLink({ of }: { of: { id: string; name: string } | null | undefined }) {
  const [parameters] = useParameters();
  if (!of) return <b className="tag gap">not known</b>;
  return <Link href={linkTo('/lineage', parameters, { of: of.id, grain: 'JOB' })}><bdi>{legible(of.name)}</bdi></Link>;
}

function Unknown({ children }: { children: ReactNode }) {
  return <li>{children}</li>;
}

function Welcome() {
  return (
    <Empty headline="Nothing has been reported yet">
      <p>Point an OpenLineage client here, and its runs, data and models appear:</p>
      <pre>OPENLINEAGE_URL={location.origin}</pre>
      <p>Or load events from files with <code>lineward ingest PATH</code>.</p>
    </Empty>
  );
}
