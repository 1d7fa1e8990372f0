import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { type DetailsQuery, DetailsDocument, EvidenceDocument, type EvidenceQuery, type RunBriefFragment } from '../gql/graphql';
import { Failed, Loading } from '../states';
import { NodeSearch } from '../shell/search';
import { day, detail, hue, legible, plural, remark, shortVersion, title, word } from '../words';
import { BASIS, restOf } from './caption';
import type { Exploration } from './exploration';
import type { AsOf, Grain, View, ViewEdge, ViewNode } from './graph';

interface Props {
  view: View;
  selected: string;
  exploration: Exploration;
  select: (id: string | null) => void;
}

/** What is known of the card or edge that was chosen. */
export default function Panel({ view, selected, exploration, select }: Props) {
  const one = view.nodes.find(({ id }) => id === selected);
  const edge = view.edges.find(({ id }) => id === selected);
  if (!one && !edge) return null;
  return (
    <aside className="panel" aria-label="Details">
      <button className="close" aria-label="Close details" onClick={() => select(null)}>×</button>
      {one?.node && <NodeDetails key={one.id} one={one} view={view} exploration={exploration} select={select} />}
      {one && !one.node && <RestDetails one={one} exploration={exploration} />}
      {edge && <EdgeDetails key={edge.id} edge={edge} view={view} exploration={exploration} select={select} />}
    </aside>
  );
}

function NodeDetails({ one, view, exploration, select }: Omit<Props, 'selected'> & { one: ViewNode }) {
  const [parameters, change] = useParameters();
  const { at, expand } = exploration;
  const details = useQuery({ queryKey: ['details', one.id, at], queryFn: ({ signal }) => ask(DetailsDocument, { id: one.id, at: at ?? null }, signal) });
  const node = one.node!;
  const edges = view.edges.filter(({ from, to, part }) => part && (from === one.id || to === one.id));
  const names = new Map(view.nodes.map((other) => [other.id, other.node ? title(other.node) : '']));
  return (
    <>
      <p className={`eyebrow ${hue(node.kind)}`}>{word(node.kind)}{remark(node) && ` · ${remark(node)}`}</p>
      <h2><bdi>{title(node)}</bdi></h2>
      <p className="dim"><bdi>{detail(node)}</bdi></p>
      <div className="acts">
        <button className="button" onClick={() => expand({ id: one.id, side: 'up' })}>← Upstream</button>
        <button className="button" onClick={() => expand({ id: one.id, side: 'down' })}>Downstream →</button>
        <Link className="button" href={linkTo('/lineage', parameters, { of: one.id, grain: exploration.grain })}>Start here</Link>
        {(node.kind === 'MODEL_VERSION' || node.kind === 'MODEL') && <Link className="button" href={linkTo(`/models/${one.id}`, parameters)}>Dossier</Link>}
      </div>
      {one.gaps.length > 0 && (
        <ul className="gaps" aria-label="What is not known">
          {one.gaps.map(({ kind, reason }) => <li key={kind + reason}><b>{kind.toLowerCase().replaceAll('_', ' ')}</b> {legible(reason)}</li>)}
        </ul>
      )}
      {details.isPending ? <Loading what="Loading details" /> : details.isError ? <Failed error={details.error} again={() => void details.refetch()} /> : <Facts node={details.data.node} />}
      <section>
        <h3>Ways to another node</h3>
        <NodeSearch label="Find the other end" placeholder="Find the other end" pick={(other) => change({ to: other.id, of: one.id, open: null, more: null, select: null })} />
      </section>
      {edges.length > 0 && (
        <section>
          <h3>Flows drawn here</h3>
          <ul className="rows">
            {edges.map((edge) => (
              <li key={edge.id}>
                <button className="link" onClick={() => select(edge.id)}>{edge.from === one.id ? '→' : '←'} <bdi>{names.get(edge.from === one.id ? edge.to : edge.from)}</bdi></button>
                <span className="dim">{BASIS[edge.basis]}{edge.stale && ', stale'}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

type Details = NonNullable<DetailsQuery['node']>;

function Facts({ node }: { node: DetailsQuery['node'] }) {
  if (!node) return <p className="dim">Nothing is known of it at this point in time.</p>;
  return (
    <>
      <dl>
        {node.namespace && <Fact name="Namespace"><bdi>{legible(node.namespace)}</bdi></Fact>}
        {('version' in node) && <Fact name="Version"><code className="whole">{legible(node.version)}</code></Fact>}
        {('started' in node) && node.started && <Fact name="Started">{day(node.started)} UTC</Fact>}
        {('ended' in node) && node.ended && <Fact name="Ended">{day(node.ended)} UTC</Fact>}
        {('current' in node) && node.current && <Fact name="Current since">{day(node.current)} UTC</Fact>}
        {('continues' in node) && node.continues && <Fact name="Still holds">rows of up to {plural(node.continues.count, 'earlier write')}{node.continues.since && `, since ${day(node.continues.since)} UTC`}</Fact>}
        {('parentRun' in node) && node.parentRun && <Fact name="Part of"><bdi>{legible(node.parentRun.name)}</bdi> <code>{node.parentRun.runId.slice(0, 8)}</code></Fact>}
        {('runId' in node) && <Fact name="Run"><code className="whole">{node.runId}</code></Fact>}
      </dl>
      {node.__typename === 'Run' && <RunFacts run={node} />}
      {('producers' in node) && node.producers.map((run) => (
        <section key={run.id}>
          <h3>Written by <bdi>{legible(run.name)}</bdi> <code>{run.runId.slice(0, 8)}</code></h3>
          <p className="dim">{run.state.toLowerCase().replaceAll('_', ' ')}{run.ended && `, ${day(run.ended)} UTC`}</p>
          <RunFacts run={run} />
        </section>
      ))}
      {('evaluations' in node) && node.evaluations.map((one) => (
        <section key={one.run.id}>
          <h3>Evaluation{one.kind && `: ${legible(one.kind)}`}</h3>
          <dl>{one.metrics.slice(0, 12).map((metric) => <Fact key={`${metric.name} ${metric.slice}`} name={legible([metric.name, metric.slice].filter(Boolean).join(' · '))}>{Number(metric.value.toPrecision(4))} {metric.unit}</Fact>)}</dl>
          {one.metrics.length > 12 && <p className="dim">and {one.metrics.length - 12} more metrics</p>}
        </section>
      ))}
      <Versions node={node} />
      {node.__typename === 'Deployment' && (
        <section>
          <h3>Served</h3>
          <ul className="rows">
            {node.intervals.nodes.map((one) => <li key={one.id}><span><bdi>{legible(one.modelVersion?.name ?? 'unknown')}</bdi> <code>{shortVersion(one.modelVersion?.version ?? '')}</code></span><span className="dim">{day(one.since)} – {one.until ? day(one.until) : one.state.toLowerCase()}</span></li>)}
          </ul>
        </section>
      )}
      {node.facets.length > 0 && (
        <section>
          <h3>{plural(node.facets.length, 'facet')}</h3>
          {node.facets.map((facet) => (
            <details key={facet.name + facet.digest}>
              <summary>{legible(facet.name)}</summary>
              <p className="dim">{day(facet.at)} UTC, by <bdi>{legible(facet.actor)}</bdi></p>
              <pre tabIndex={0}>{indented(facet.body)}</pre>
            </details>
          ))}
        </section>
      )}
    </>
  );
}

function Versions({ node }: { node: Details }) {
  const [parameters] = useParameters();
  if (node.__typename !== 'Dataset' && node.__typename !== 'Model') return null;
  return (
    <section>
      <h3>{plural(node.versions.totalCount, 'version')}</h3>
      <ul className="rows">
        {node.versions.nodes.map((one) => (
          <li key={one.id}>
            <Link href={linkTo('/lineage', parameters, { of: one.id, grain: 'RUN' })}><code>{legible(shortVersion(one.version))}</code></Link>
            <span className="dim">{one.state.toLowerCase().replaceAll('_', ' ')} {day(one.current ?? one.started)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function RunFacts({ run }: { run: RunBriefFragment }) {
  const { code, parameters } = run;
  return (
    <dl>
      {code?.version && <Fact name="Code"><code className="whole">{legible(code.version)}</code></Fact>}
      {(code?.repository ?? code?.url) && <Fact name="Kept at"><bdi>{legible(code?.repository ?? code?.url ?? '')}</bdi></Fact>}
      {code?.path && <Fact name="File"><bdi>{legible(code.path)}</bdi></Fact>}
      {parameters.slice(0, 20).map((one) => <Fact key={one.key} name={legible(one.name ?? one.key)}><code>{legible(one.value ?? '')}</code></Fact>)}
      {parameters.length > 20 && <Fact name="Parameters">{parameters.length - 20} more</Fact>}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function RestDetails({ one, exploration }: { one: ViewNode; exploration: Exploration }) {
  const [parameters] = useParameters();
  return (
    <>
      <p className="eyebrow">not drawn one by one</p>
      <h2>{restOf(one)}</h2>
      <div className="acts">
        <button className="button strong" onClick={() => one.parent && exploration.unfold(one.parent)}>Draw 20 more</button>
      </div>
      <ul className="rows">
        {one.rest.slice(0, 200).map((node) => (
          <li key={node.id}>
            <Link href={linkTo('/lineage', parameters, { of: node.id, grain: exploration.grain })}><bdi>{title(node)}</bdi></Link>
            <span className="dim"><bdi>{detail(node)}</bdi></span>
          </li>
        ))}
      </ul>
      {one.rest.length > 200 && <p className="dim">and {plural(one.rest.length - 200, 'more', 'more')}: search finds each by its name.</p>}
    </>
  );
}

function EdgeDetails({ edge, view, exploration, select }: Omit<Props, 'selected'> & { edge: ViewEdge }) {
  const { at, grain } = exploration;
  const evidence = useQuery({
    queryKey: ['evidence', edge.id, grain, at],
    queryFn: ({ signal }) => eventsBehind(edge, grain, at, signal),
  });
  const ends = [edge.from, edge.to].map((id) => view.nodes.find((one) => one.id === id));
  const events = evidence.data ?? [];
  return (
    <>
      <p className="eyebrow">flow · {BASIS[edge.basis]}{edge.stale && ' · stale'}{edge.change && ` · ${edge.change}`}</p>
      <h2 className="flow">{ends.map((one, index) => one?.node && <button key={one.id} className="link" onClick={() => select(one.id)}>{index === 1 && '→ '}<bdi>{title(one.node)}</bdi></button>)}</h2>
      <p className="dim">{MEANING[edge.basis]}{edge.stale && ' The last runs no longer have it.'}</p>
      <dl>
        {edge.part?.firstSeen && <Fact name="First seen">{day(edge.part.firstSeen)} UTC</Fact>}
        {edge.part?.lastSeen && <Fact name="Last seen">{day(edge.part.lastSeen)} UTC</Fact>}
        {typeof edge.part?.runs === 'number' && <Fact name="Runs">{edge.part.runs.toLocaleString('en')}</Fact>}
        {edge.part?.transformations.map((one, index) => <Fact key={index} name={one.type.toLowerCase()}>{legible(one.subtype ?? 'made from it')}{one.masking && ', masked'}</Fact>)}
      </dl>
      <section>
        <h3>Events behind it</h3>
        {evidence.isPending && <Loading what="Loading events" />}
        {evidence.isError && <Failed error={evidence.error} again={() => void evidence.refetch()} />}
        {evidence.data && events.length === 0 && <p className="dim">No single event states it.</p>}
        {events.map((entry) => (
          <details key={entry.seq}>
            <summary>#{entry.seq} {legible(entry.eventType ?? entry.type)} <span className="dim">{day(entry.at)} UTC</span></summary>
            <p className="dim">recorded {day(entry.recorded)} UTC, by <bdi>{legible(entry.actor)}</bdi></p>
            {entry.body && <pre tabIndex={0}>{indented(entry.body)}</pre>}
          </details>
        ))}
      </section>
    </>
  );
}

type Events = EvidenceQuery['lineage']['edges'][number]['events'];

/** Seen from where the flow starts or, where more than an answer holds starts there, from where it ends. */
async function eventsBehind({ from, to }: ViewEdge, grain: Grain, at: AsOf | undefined, signal: AbortSignal): Promise<Events> {
  for (const [id, direction] of [[from, 'DOWNSTREAM'], [to, 'UPSTREAM']] as const) {
    const { lineage } = await ask(EvidenceDocument, { of: { id }, direction, grain, at: at ?? null }, signal);
    const found = lineage.edges.find((edge) => edge.from === from && edge.to === to);
    if (found) return found.events;
  }
  return [];
}

const MEANING: Record<ViewEdge['basis'], string> = {
  EXPLICIT: 'An event says so.',
  COLUMN: 'Column lineage names the pair.',
  INFERRED: 'The run read the one and wrote the other; no event says that the one went into the other.',
  ROLLUP: 'The run declared no input, so the reads of its application stand in.',
};

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
