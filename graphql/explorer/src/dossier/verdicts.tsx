import { Fragment } from 'react';
import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import type { DossierRulesQuery, DossierVerdictsQuery, NodeBriefFragment, Verdict } from '../gql/graphql';
import { Citation, VERDICTS, VerdictBadge, verdictWord, weight } from '../verdicts/badge';
import { day, detail, legible, plural, title, word } from '../words';
import { counted, grouped } from './evidence';
import { Prose } from './said';

export type Report = DossierVerdictsQuery['evaluate'];
export type Rules = DossierRulesQuery;
type Control = Report['controls'][number];
type Check = Control['checks'][number];

/** Every control of every pack, the worst first; what does not hold says why, what proves it, and what to do. */
export function Packs({ report, rules }: { report: Report; rules: Rules | undefined }) {
  const [parameters, change] = useParameters();
  const tried = parameters.getAll('pack');
  const packs = grouped(report.controls, ({ pack }) => pack);
  return [...packs].map(([label, controls]) => {
    const pack = rules?.policyPacks.find(({ name, version }) => `${name}@${version}` === label);
    const uris = new Map(pack?.controls.map(({ id, uri }) => [id, uri]));
    const counts = counted(controls.map(({ verdict }) => verdict));
    const sorted = controls.toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
    return (
      <div key={label} className="pack">
        <h3><bdi>{legible(label)}</bdi> {pack?.status === 'draft' && <b className="tag">draft</b>} {pack && tried.includes(pack.name) && <button className="link" onClick={() => change({ pack: tried.filter((one) => one !== pack.name) })}>leave it out</button>}</h3>
        <p className="dim">
          {pack && <><Citation article={pack.instrument} uri={pack.uri} /> · {pack.binding.replaceAll('-', ' ')}, {pack.certainty.replaceAll('-', ' ')}</>}
          {pack && (pack.inForceSince ? ` · in force here since ${day(pack.inForceSince)} UTC` : ' · not in force here: shown to see what it would say')}
        </p>
        <p className="counts">{VERDICTS.filter((one) => counts.has(one)).map((one) => <VerdictBadge key={one} of={one} count={counts.get(one)!} />)}</p>
        <ul className="controls">
          {sorted.map((control) => <li key={control.control}><ControlRow control={control} uri={uris.get(control.control)} /></li>)}
        </ul>
      </div>
    );
  });
}

const TROUBLED: readonly Verdict[] = ['ERROR', 'FAIL'];

function ControlRow({ control, uri }: { control: Control; uri: string | null | undefined }) {
  const bad = control.checks.filter(({ verdict }) => verdict !== 'PASS' && verdict !== 'NOT_APPLICABLE');
  const holding = control.checks.length - bad.length;
  return (
    <details className="control" open={TROUBLED.includes(control.verdict)}>
      <summary>
        <VerdictBadge of={control.verdict} />
        <span className="name"><code>{legible(control.control)}</code> {legible(control.title)}</span>
        <span className="dim weight">{weight(control.severity, control.enforcement)}</span>
      </summary>
      <div className="says">
        <p><Prose of={control.plain} /></p>
        <p className="dim">Source: <Citation article={legible(control.citation)} uri={uri} /> · decided {DECIDED[control.assurance] ?? control.assurance}</p>
        {control.note && <p className="dim">{legible(control.note)}</p>}
        {bad.slice(0, 20).map((check, index) => <CheckSays key={index} check={check} />)}
        {bad.length > 20 && <p className="dim">and {plural(bad.length - 20, 'more item')} that do not hold.</p>}
        {holding > 0 && bad.length > 0 && <p className="dim">{plural(holding, 'other check')} of it {holding === 1 ? 'holds' : 'hold'}.</p>}
        {control.verdict === 'PASS' && <p className="dim">{plural(holding, 'check')} {holding === 1 ? 'holds' : 'hold'}.</p>}
        {control.blockedBy.length > 0 && <p>Kept from being known by gaps in the lineage: {control.blockedBy.map((kind) => kind.toLowerCase().replaceAll('_', ' ')).join(', ')}.</p>}
        {control.underlying !== control.verdict && <p>Without its waiver: <VerdictBadge of={control.underlying} /></p>}
        {bad.length > 0 && <p className="remedy"><b>What would fix it</b> <Prose of={control.remediation} /></p>}
        {control.nextFlipAt && <p className="dim">Time alone changes it on {day(control.nextFlipAt)} UTC.</p>}
      </div>
    </details>
  );
}

const DECIDED: Record<string, string> = {
  automatic: 'from recorded facts',
  attested: 'from statements of people',
  mixed: 'from recorded facts and statements of people',
};

function CheckSays({ check }: { check: Check }) {
  const [parameters] = useParameters();
  const witness = check.witness?.nodes ?? [];
  const [first, last] = [witness[0], witness.at(-1)];
  return (
    <div className="check" data-verdict={check.verdict}>
      <p>{legible(check.message) || `${check.check}: ${verdictWord(check.verdict)}`}</p>
      {check.missing.length > 0 && (
        <ul>{check.missing.map(({ path, reason }) => <li key={path}><code>{legible(path)}</code> <span className="dim">{legible(reason)}</span></li>)}</ul>
      )}
      {first && last && (
        <>
          <ol className="witness" aria-label="The way through the graph that proves it">
            {witness.map((node, index) => (
              <li key={`${index} ${node.id}`}><span><NodeLink node={node} /></span></li>
            ))}
          </ol>
          <p className="dim">
            {check.witness!.events.length > 0 && <>told by {check.witness!.events.length === 1 ? 'entry' : 'entries'} {check.witness!.events.map(({ seq }) => seq.toLocaleString('en')).join(', ')} of the log · </>}
            <Link href={linkTo('/lineage', parameters, first.kind === 'FIELD' ? { of: first.id, grain: 'FIELD' } : { of: first.id, to: last.id })}>{first.kind === 'FIELD' ? 'See where the column goes' : 'Draw this way'}</Link>
          </p>
        </>
      )}
    </div>
  );
}

export function NodeLink({ node }: { node: NodeBriefFragment }) {
  const [parameters] = useParameters();
  const name = node.__typename === 'Field' ? <><bdi>{title(node)}</bdi> <span className="dim">in <bdi>{detail(node)}</bdi></span></> : <><bdi>{title(node)}</bdi> {'version' in node && <code>{detail(node)}</code>}</>;
  return (
    <Fragment>
      <span className="dim">{word(node.kind)}</span> <Link href={linkTo('/lineage', parameters, { of: node.id, grain: node.kind === 'FIELD' ? 'FIELD' : 'RUN' })}>{name}</Link>
    </Fragment>
  );
}
