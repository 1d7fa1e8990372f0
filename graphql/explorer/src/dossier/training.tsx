import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { day, isTroubled, legible, plural } from '../words';
import type { Evidence } from './evidence';
import type { Version } from './page';
import { Digest, Line, List, NotKnown } from './said';

type Run = Version['producers'][number];
const SHOWN = 40; // parameters

export interface Trained {
  seed?: number;
  environmentDigest?: string;
  hardware?: unknown;
  authors?: string[];
  user?: string;
}

export function trainedOf(run: { facets: { name: string; body: string }[] }): Trained {
  const facet = run.facets.find(({ name }) => name === 'lineward_training');
  return facet ? (JSON.parse(facet.body) as Trained) : {};
}

export function Training({ version, evidence }: { version: Version; evidence: Evidence | undefined }) {
  if (version.producers.length === 0) return <p><NotKnown what="no run" /> Nobody reported a run that wrote this version: where it comes from is not known.</p>;
  return (
    <>
      {version.producers.map((run, index) => <OneRun key={run.id} run={run} artifact={index === version.producers.length - 1 ? evidence?.subject.digest : undefined} />)}
    </>
  );
}

function OneRun({ run, artifact }: { run: Run; artifact: string | undefined }) {
  const [parameters] = useParameters();
  const { code } = run;
  const trained = trainedOf(run);
  const place = code?.repository ?? code?.url;
  const people = [...new Set([...(trained.authors ?? []), ...(trained.user ? [trained.user] : [])])];
  return (
    <div className="run">
      <h3><Link href={linkTo('/lineage', parameters, { of: run.id })}><bdi>{legible(run.name)}</bdi></Link> <code>{run.runId}</code> <b className="tag" data-troubled={isTroubled(run.state) || undefined}>{run.state.toLowerCase().replaceAll('_', ' ')}</b></h3>
      <dl className="facts">
        <Line name="When">{run.started && <>{day(run.started)} UTC{lasted(run)}</>}</Line>
        <Line name="By">{people.length > 0 && <List of={people} />}</Line>
        <Line name="Code">{code?.version && <><Digest of={code.version} />{code.branch && <span className="source">branch <bdi>{legible(code.branch)}</bdi></span>}</>}</Line>
        <Line name="Kept at">{place && <bdi>{legible([place, code?.path].filter(Boolean).join(' · '))}</bdi>}</Line>
        <Line name="Environment">{trained.environmentDigest && <Digest of={trained.environmentDigest} />}</Line>
        <Line name="Seed">{typeof trained.seed === 'number' && <code>{trained.seed}</code>}</Line>
        {artifact && <Line name="Artifact"><Digest of={artifact} /></Line>}
        {run.parentRun && <Line name="Part of"><Link href={linkTo('/lineage', parameters, { of: run.parentRun.id })}><bdi>{legible(run.parentRun.name)}</bdi></Link></Line>}
        <Line name="Parameters">{run.parameters.length > 0 && plural(run.parameters.length, 'parameter')}</Line>
      </dl>
      {run.parameters.length > 0 && (
        <table className="parameters">
          <caption className="hidden">Parameters of {legible(run.name)}</caption>
          <tbody>{run.parameters.slice(0, SHOWN).map((one) => <tr key={one.key}><th scope="row"><bdi>{legible(one.name ?? one.key)}</bdi></th><td><code>{legible(one.value ?? '')}</code></td></tr>)}</tbody>
        </table>
      )}
      {run.parameters.length > SHOWN && <p className="dim">and {plural(run.parameters.length - SHOWN, 'more parameter')}: the run’s facets have all.</p>}
    </div>
  );
}

function lasted({ started, ended }: Run): string {
  if (!started || !ended) return '';
  const seconds = (Date.parse(ended) - Date.parse(started)) / 1000;
  if (seconds < 1) return ', under a second';
  if (seconds < 120) return `, ${Math.round(seconds)} s`;
  return seconds < 7200 ? `, ${Math.round(seconds / 60)} min` : `, ${(seconds / 3600).toFixed(1)} h`;
}
