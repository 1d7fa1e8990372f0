import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { day, legible, plural } from '../words';
import type { Evidence, Measured } from './evidence';
import { countsOf, drawings } from './measures';
import type { Version } from './page';
import { Bars, Curve, Overall } from './plots';
import { NotKnown } from './said';

type Evaluation = Version['evaluations'][number];

export function Evaluations({ version, evidence }: { version: Version; evidence: Evidence | undefined }) {
  if (version.evaluations.length === 0) return <p><NotKnown what="none" /> No run reported measuring this version.</p>;
  const latest = version.evaluations.toReversed();
  return (
    <>
      {latest.slice(0, 6).map((one) => <One key={one.run.id} evaluation={one} evidence={evidence} />)}
      {latest.length > 6 && <p className="dim">The latest 6 of {plural(latest.length, 'evaluation')}; the evidence has all.</p>}
    </>
  );
}

function One({ evaluation, evidence }: { evaluation: Evaluation; evidence: Evidence | undefined }) {
  const [parameters] = useParameters();
  const known = evidence?.evaluations?.find(({ run }) => run === evaluation.run.id);
  const data = [...(evidence?.testDatasets ?? []), ...(evidence?.validationDatasets ?? []), ...(evidence?.trainingDatasets ?? [])].find(({ id }) => id === known?.datasetId);
  const { overall, groups, roc, calibration } = drawings(evaluation.metrics, countsOf(evaluation.run.facets[0]?.body));
  return (
    <div className="evaluation">
      <h3>{legible(evaluation.kind ?? 'of no kind that was told')} <Passed of={known} /></h3>
      <p className="dim">
        <Link href={linkTo('/lineage', parameters, { of: evaluation.run.id })}><bdi>{legible(evaluation.run.name)}</bdi></Link>{evaluation.run.ended && `, ${day(evaluation.run.ended)} UTC`}
        {data && <>, on <Link href={linkTo('/lineage', parameters, { of: data.id })}><bdi>{legible(data.name)}</bdi></Link></>}
        {known?.by && <>, reported by <bdi>{legible(known.by)}</bdi></>}
      </p>
      {evaluation.metrics.length === 0 && <p><NotKnown what="no measure" /> The run reported no metric.</p>}
      <div className="plots">
        {overall.length > 0 && <Overall metrics={overall} others={othersOn(evidence, known)} />}
        {groups.map((group, index) => <Bars key={index} {...group} />)}
        {calibration.length > 0 && <Curve title="Calibration" note="on the diagonal: what was predicted is what came" across="predicted" up="observed" points={calibration} joined />}
        {roc.length > 0 && <Curve title="ROC" across="false positive rate" up="true positive rate" points={roc} joined />}
      </div>
    </div>
  );
}

function Passed({ of }: { of: Measured | undefined }) {
  if (!of) return null;
  if (of.passed === undefined) return <a className="tag" href="#unknown">no threshold attested</a>;
  return of.passed ? <b className="tag added">keeps its thresholds</b> : <b className="tag removed">misses a threshold</b>;
}

/** What other versions reached by the same measure on the same data. */
function othersOn(evidence: Evidence | undefined, known: Measured | undefined): Map<string, number[]> {
  const others = new Map<string, number[]>();
  for (const one of evidence?.challengerEvaluations ?? []) {
    if (!known?.datasetId || one.datasetId !== known.datasetId) continue;
    for (const { name, slice, value } of one.metrics ?? []) if (!slice) others.set(name, [...(others.get(name) ?? []), value]);
  }
  return others;
}
