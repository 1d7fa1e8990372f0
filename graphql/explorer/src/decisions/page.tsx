import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { asOf, linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { type JudgedFragment, type ReleaseFilter, type ReleaseOutcome, ReleasesDocument, type ReleasesQuery, SubjectDocument } from '../gql/graphql';
import { Empty, Failed, Loading } from '../states';
import { day, legible, plural } from '../words';
import { AskTheGate } from './asking';
import { useViewer } from '../shell/viewer';
import { OpenMode } from './open';
import { brief, named, OUTCOMES, tone, versionOf, wholeName } from './words';
import './decisions.css';

type Release = ReleasesQuery['releases']['nodes'][number];

const PAGE = 50;
const DECIDED: ReleaseOutcome[] = ['ALLOW', 'DENY', 'PENDING', 'INDETERMINATE'];
const DEPLOYED: ReleaseOutcome[] = ['UNGATED', 'LAPSED', 'GATED'];

/** Decisions of the gate and deployments on one line of time, so that what went past the gate stands out. */
export default function DecisionsPage() {
  const [parameters, change] = useParameters();
  const at = asOf(parameters);
  const filter = filterOf(parameters);
  const after = parameters.get('after');
  const viewer = useViewer();
  const releases = useQuery({
    queryKey: ['releases', filter, at, after],
    queryFn: ({ signal }) => ask(ReleasesDocument, { filter, at: at ?? null, first: PAGE, after }, signal),
    placeholderData: (before) => before,
  });
  useEffect(() => {
    document.title = 'Decisions · Lineward';
  }, []);
  const list = releases.data?.releases;
  return (
    <div className="page decisions">
      <div className="headline">
        <h1>Decisions</h1>
        {list && <p className="dim">{plural(list.totalCount, 'decision or deployment', 'decisions and deployments')}, times in UTC</p>}
        <span className="grow" />
        <Link className="button" href={linkTo('/decisions/file', parameters)}>Check a file</Link>
        <AskTheGate />
      </div>
      <OpenMode viewer={viewer} />
      <Filters environments={list?.environments ?? []} />
      {releases.isPending ? (
        <Loading what="Loading decisions" />
      ) : releases.isError ? (
        <Failed error={releases.error} again={() => void releases.refetch()} />
      ) : list!.nodes.length === 0 ? (
        <Nothing isFiltered={Object.keys(filter).length > 0} />
      ) : (
        <>
          <Days releases={list!.nodes} />
          <div className="acts">
            {after && <button className="button" onClick={() => change({ after: null })}>From the latest</button>}
            {list!.pageInfo.hasNextPage && <button className="button" onClick={() => change({ after: list!.pageInfo.endCursor })}>Earlier {PAGE}</button>}
          </div>
        </>
      )}
    </div>
  );
}

/** What the address asks for; what it does not say is left out. */
function filterOf(parameters: URLSearchParams): ReleaseFilter {
  const of = parameters.get('of');
  const name = parameters.get('name');
  const environment = parameters.get('environment');
  const outcomes = parameters.getAll('outcome').filter((one): one is ReleaseOutcome => one in OUTCOMES);
  const [since, until] = ['since', 'until'].map((bound) => /^\d{4}-\d{2}-\d{2}$/.exec(parameters.get(bound) ?? '')?.[0]);
  return {
    ...(of && { of: { id: of } }),
    ...(name && { nameContains: name }),
    ...(environment && { environment }),
    ...(outcomes.length > 0 && { outcomes }),
    ...(since && { since: `${since}T00:00:00Z` }),
    ...(until && { until: `${following(until)}T00:00:00Z` }),
  };
}

function following(date: string): string {
  const next = new Date(`${date}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}

function Filters({ environments }: { environments: readonly string[] }) {
  const [parameters, change] = useParameters();
  const set = (name: string) => (event: { target: { value: string } }) => change({ [name]: event.target.value, after: null }, { replace: true });
  const chosen = parameters.getAll('outcome');
  const of = parameters.get('of');
  return (
    <form className="filters" role="search" aria-label="Filter decisions" onSubmit={(event) => event.preventDefault()}>
      <input type="search" aria-label="Only models with" placeholder="Only models with" value={parameters.get('name') ?? ''} onChange={set('name')} />
      <select aria-label="Environment" value={parameters.get('environment') ?? ''} onChange={set('environment')}>
        <option value="">every environment</option>
        {environments.map((one) => <option key={one} value={one}>{brief(legible(one), 40)}</option>)}
      </select>
      <select aria-label="Outcome" value={chosen.length > 1 ? chosen.join() : (chosen[0] ?? '')} onChange={(event) => change({ outcome: event.target.value.split(',').filter(Boolean), after: null }, { replace: true })}>
        <option value="">every outcome</option>
        <optgroup label="Decisions">
          <option value={DECIDED.join()}>all decisions</option>
          {DECIDED.map((one) => <option key={one} value={one}>{OUTCOMES[one]}</option>)}
        </optgroup>
        <optgroup label="Deployments">
          <option value={DEPLOYED.join()}>all deployments</option>
          {DEPLOYED.map((one) => <option key={one} value={one}>{OUTCOMES[one]}</option>)}
        </optgroup>
      </select>
      <span className="span">
        <input type="date" aria-label="From this day (UTC)" value={parameters.get('since') ?? ''} onChange={set('since')} />
        <span className="dim">to</span>
        <input type="date" aria-label="To this day (UTC)" value={parameters.get('until') ?? ''} onChange={set('until')} />
      </span>
      {of && <OnlyOf id={of} />}
      {[...parameters.keys()].some((name) => ['name', 'environment', 'outcome', 'since', 'until'].includes(name)) && (
        <button type="button" className="link" onClick={() => change({ name: null, environment: null, outcome: null, since: null, until: null, after: null })}>Clear</button>
      )}
    </form>
  );
}

function OnlyOf({ id }: { id: string }) {
  const [parameters, change] = useParameters();
  const at = asOf(parameters);
  const node = useQuery({ queryKey: ['subject', id, at], queryFn: ({ signal }) => ask(SubjectDocument, { id, at: at ?? null }, signal) }).data?.node;
  return (
    <button type="button" className="button" onClick={() => change({ of: null, after: null })}>
      Only <b><bdi>{named(node)}</bdi> {versionOf(node)}</b> <span aria-hidden="true">×</span><span className="unseen">: show all</span>
    </button>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <Empty headline="Nothing fits this filter"><p>Decisions and deployments outside it are not shown.</p></Empty>;
  return (
    <Empty headline="Nothing has been decided or deployed">
      <p>Ask the gate here, or from a pipeline: <code>lineward gate MODEL@VERSION --env production</code>.</p>
    </Empty>
  );
}

function Days({ releases }: { releases: readonly Release[] }) {
  return [...byDay(releases)].map(([date, ofDay]) => (
    <section key={date} className="day" aria-labelledby={`day-${date}`}>
      <h2 id={`day-${date}`}><time dateTime={date}>{date}</time></h2>
      <ol className="timeline">
        {ofDay.map((one) => (
          <li key={one.decision?.id ?? one.deployment!.id} data-tone={tone(one.outcome)} data-kind={one.decision ? 'decision' : 'deployment'}>
            <time dateTime={one.at} title={`${one.at} (UTC)`}>{one.at.slice(11, 16)}</time>
            <i className="dot" aria-hidden="true" />
            {one.decision ? <Decided release={one} decision={one.decision} /> : <Deployed release={one} deployment={one.deployment!} />}
          </li>
        ))}
      </ol>
    </section>
  ));
}

function Decided({ release, decision }: { release: Release; decision: NonNullable<Release['decision']> }) {
  const [parameters] = useParameters();
  return (
    <div className="what">
      <p>
        <Badge of={release.outcome} />
        <Link className="subject" href={linkTo(`/decisions/${decision.id}`, parameters)}><Subject of={decision.target} /></Link>
        <span className="dim"> into <bdi>{brief(legible(decision.environment), 40)}</bdi>{decision.isRollback && ', a rollback'}</span>
      </p>
      <p className="dim line">{decision.reasons.length > 0 ? brief(legible(decision.reasons[0]!), 180) : 'Every control that blocks is met.'}{decision.reasons.length > 1 && ` And ${decision.reasons.length - 1} more.`}</p>
      <p className="dim who">asked by <bdi>{brief(legible(decision.requester), 60)}</bdi>{decision.expiresAt && `, valid until ${day(decision.expiresAt)}`}</p>
    </div>
  );
}

function Deployed({ release, deployment }: { release: Release; deployment: NonNullable<Release['deployment']> }) {
  const [parameters] = useParameters();
  const { gate, modelVersion, state, until } = deployment;
  return (
    <div className="what">
      <p>
        <Badge of={release.outcome} />
        {modelVersion ? <Link className="subject" href={linkTo('/lineage', parameters, { of: modelVersion.id })}><Subject of={modelVersion} /></Link> : <b>an unknown version</b>}
        <span className="dim"> serves in <bdi>{brief(legible(deployment.environment ?? 'an environment that nobody named'), 40)}</bdi></span>
      </p>
      <p className="dim line">
        {release.outcome === 'UNGATED' && 'No allow came before it.'}
        {release.outcome === 'LAPSED' && <>It came after <Link href={linkTo(`/decisions/${gate.decision!.id}`, parameters)}>its allow</Link> had lapsed.</>}
        {release.outcome === 'GATED' && <>In time after <Link href={linkTo(`/decisions/${gate.decision!.id}`, parameters)}>its allow</Link>.</>}
        {release.outcome !== 'GATED' && modelVersion && state !== 'ENDED' && deployment.environment && <> <AskTheGate of={modelVersion} environment={deployment.environment} /></>}
      </p>
      <p className="dim who">
        <bdi>{brief(legible(deployment.deployment?.name ?? 'an unknown service'), 60)}</bdi>, {legible(deployment.role)}{typeof deployment.share === 'number' && deployment.share < 1 && ` ${Math.round(deployment.share * 100)} %`} · {state === 'SERVING' ? 'serves still' : state === 'UNKNOWN' ? 'gone silent, perhaps serves still' : `until ${day(until)}`}
      </p>
    </div>
  );
}

function byDay(releases: readonly Release[]): Map<string, Release[]> {
  const days = new Map<string, Release[]>();
  for (const one of releases) days.set(one.at.slice(0, 10), [...(days.get(one.at.slice(0, 10)) ?? []), one]);
  return days;
}

export function Badge({ of }: { of: ReleaseOutcome }) {
  return <b className="badge" data-tone={tone(of)}>{of}</b>;
}

function Subject({ of }: { of: JudgedFragment | null | undefined }) {
  return <span title={of ? brief(wholeName(of), 400) : undefined}><bdi>{named(of)}</bdi> <bdi>{versionOf(of)}</bdi></span>;
}
