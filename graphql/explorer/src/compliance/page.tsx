import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useMemo, useRef } from 'react';
import { asOf, useParameters } from '../address';
import { ask } from '../ask';
import { CompliancePacksDocument, type Severity, type Verdict } from '../gql/graphql';
import { Empty, Failed, Loading } from '../states';
import { day, legible, plural } from '../words';
import { Carry } from './carry';
import './compliance.css';
import { Grid } from './grid';
import { Mark, VERDICT_WORDS, WORST_FIRST } from './mark';
import { type Asked, counted, type Filter, type Line, type Pack, shownControls, shownLines, sorted, useMatrix } from './matrix';
import { Reason } from './reason';
import { Waivers } from './waivers';

const SEVERITIES: readonly Severity[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];

export default function CompliancePage() {
  const [parameters] = useParameters();
  const at = asOf(parameters);
  const packs = useQuery({ queryKey: ['packs', at], queryFn: ({ signal }) => ask(CompliancePacksDocument, { at: at ?? null }, signal) });
  useEffect(() => {
    document.title = 'Compliance · Lineward';
  }, []);
  if (packs.isPending) return <Loading what="Loading the packs" />;
  if (packs.isError) return <Failed error={packs.error} again={() => void packs.refetch()} />;
  const { policyPacks, policyBindings } = packs.data;
  const wanted = parameters.get('pack');
  const pack = wanted ? policyPacks.find(({ name }) => name === wanted) : policyPacks[0];
  if (!pack) return <Empty headline={wanted ? `There is no pack ${legible(wanted)}` : 'There is no pack'}><p><code>lineward policy list</code> shows the packs that there are.</p></Empty>;
  const environments = [...new Set(policyBindings.flatMap((binding) => binding.environments))].sort();
  return <Judged pack={pack} packs={policyPacks} environments={environments} />;
}

function Judged({ pack, packs, environments }: { pack: Pack; packs: readonly Pack[]; environments: readonly string[] }) {
  const [parameters, change] = useParameters();
  const valid = parameters.get('valid');
  const known = parameters.get('known');
  const environment = parameters.get('env') ?? environments[0] ?? null;
  const latest = parameters.get('all') !== '1';
  const asked = useMemo<Asked>(() => ({ pack: pack.name, environment: environment || null, latest, at: asOf(new URLSearchParams({ ...(valid && { valid }), ...(known && { known }) })) }), [pack.name, environment, latest, valid, known]);
  const matrix = useMatrix(asked);
  const search = parameters.toString();
  const filter = useDeferredValue(useMemo(() => filterOf(new URLSearchParams(search)), [search]));
  const sort = parameters.get('sort') ?? 'worst';
  const controls = useMemo(() => shownControls(pack.controls, filter), [pack, filter]);
  const lines = useMemo(() => sorted(shownLines(matrix.lines, controls, filter), sort), [matrix.lines, controls, filter, sort]);
  const counts = useMemo(() => counted(matrix.lines), [matrix.lines]);
  const of = parameters.get('of');
  const chosen = of ? { line: of, control: parameters.get('control') ?? '' } : undefined;
  const line = chosen && matrix.lines.find(({ key }) => key === chosen.line);
  const waivers = matrix.lines.reduce((sum, { waivers: own }) => sum + own.length, 0);
  const view = parameters.get('view') === 'waivers' ? 'waivers' : 'matrix';
  const choose = (key: string, control: string) => change({ of: key, control }, { replace: true });
  const stage = useRef<HTMLDivElement>(null);
  const close = () => {
    change({ of: null, control: null }, { replace: true });
    stage.current?.querySelector<HTMLElement>('[role="grid"] [tabindex="0"]')?.focus();
  };
  return (
    <div className="compliance" data-panel={line ? '' : undefined}>
      <div className="toolbar">
        <h1>Compliance</h1>
        <label><span>Pack</span>
          <select value={pack.name} onChange={(event) => change({ pack: event.target.value, of: null, control: null, sort: null })}>
            {packs.map((one) => <option key={one.name} value={one.name}>{one.name} {one.version}{one.inForceSince ? '' : ' (not in force)'}</option>)}
          </select>
        </label>
        <label><span>Environment</span>
          <select value={environment ?? ''} onChange={(event) => change({ env: event.target.value || ' ' })}>
            {environments.map((one) => <option key={one} value={one}>{legible(one)}</option>)}
            <option value=" ">no environment</option>
          </select>
        </label>
        <label><span>Versions</span>
          <select value={latest ? '' : '1'} onChange={(event) => change({ all: event.target.value })}>
            <option value="">current versions</option>
            <option value="1">all versions</option>
          </select>
        </label>
        <span className="grow" />
        <div className="choice" role="group" aria-label="View">
          <button aria-pressed={view === 'matrix'} onClick={() => change({ view: null })}>Matrix</button>
          <button aria-pressed={view === 'waivers'} onClick={() => change({ view: 'waivers' })}>Waivers {waivers.toLocaleString('en')}</button>
        </div>
        {matrix.position && <Carry asked={asked} position={matrix.position} filter={filter} />}
      </div>
      <div className="about">
        {pack.instrument}
        {pack.status !== 'reviewed' && <b className="tag gap">{pack.status}: it advises</b>}
        {!pack.inForceSince && <b className="tag gap">not in force here</b>}
        {matrix.position && <span className="dim">read at log {matrix.position.at.known!.toLocaleString('en')}, ages judged at {day(matrix.position.evaluatedAt)} UTC</span>}
        <span className="shown" role="status">
          {matrix.isComplete || matrix.error ? (
            <Shown lines={lines} all={matrix.lines} controls={controls.length} of={pack.controls.length} />
          ) : (
            !matrix.isPending && <><progress value={matrix.judged} max={matrix.total} aria-label="Models judged" /> {matrix.judged.toLocaleString('en')} of {plural(matrix.total, 'model')} judged; order and counts are of these</>
          )}
        </span>
      </div>
      <div className="filters">
        <input type="search" aria-label="Only models with" placeholder="Only models with" defaultValue={filter.name} onChange={(event) => change({ name: event.target.value }, { replace: true })} />
        <div className="chips" role="group" aria-label="Only verdicts">
          {WORST_FIRST.filter((verdict) => counts.get(verdict) || filter.verdicts.has(verdict)).map((verdict) => (
            <button key={verdict} className="chip" aria-pressed={filter.verdicts.has(verdict)} onClick={() => change({ verdict: toggled(filter.verdicts, verdict) }, { replace: true })}>
              <Mark of={verdict} /> {VERDICT_WORDS[verdict]} <b>{(counts.get(verdict) ?? 0).toLocaleString('en')}</b>
            </button>
          ))}
        </div>
        <select aria-label="Only controls of severity" value={[...filter.severities][0] ?? ''} onChange={(event) => change({ severity: event.target.value }, { replace: true })}>
          <option value="">every severity</option>
          {SEVERITIES.map((one) => <option key={one} value={one}>{one.toLowerCase()} only</option>)}
        </select>
        <label className="order">Order
          <select value={sort} onChange={(event) => change({ sort: event.target.value }, { replace: true })}>
            <option value="worst">the worst first</option>
            <option value="name">by name</option>
            {pack.controls.map(({ id }) => <option key={id} value={id}>by {id}</option>)}
          </select>
        </label>
      </div>
      <div className="stage" ref={stage}>
        {matrix.error && <Failed error={matrix.error} again={matrix.again} />}
        {matrix.isPending ? (
          <Loading what={`Judging models against ${pack.name}`} />
        ) : matrix.lines.length === 0 ? (
          !matrix.error && <Empty headline="No model has been reported"><p>A model is an output dataset with the facet datasetType: MODEL, or one in a namespace that the settings name.</p></Empty>
        ) : view === 'waivers' ? (
          <Waivers lines={lines} now={matrix.position?.evaluatedAt} choose={choose} />
        ) : lines.length === 0 ? (
          <Empty headline="Nothing fits these filters">
            <p><button className="button" onClick={() => change({ name: null, verdict: null, severity: null })}>Show all {plural(matrix.lines.length, 'row')}</button></p>
          </Empty>
        ) : (
          <Grid lines={lines} controls={controls} filter={filter} chosen={chosen} choose={choose} sort={sort} sortBy={(by) => change({ sort: by === sort ? null : by }, { replace: true })} />
        )}
      </div>
      {line && matrix.position && <Reason line={line} control={chosen!.control} asked={asked} position={matrix.position} close={close} open={(control) => choose(line.key, control)} />}
    </div>
  );
}

function Shown({ lines, all, controls, of }: { lines: readonly Line[]; all: readonly Line[]; controls: number; of: number }) {
  const rows = lines.length === all.length ? plural(all.length, 'row') : `${lines.length.toLocaleString('en')} of ${plural(all.length, 'row')}`;
  return <>{rows} × {controls === of ? plural(of, 'control') : `${controls} of ${plural(of, 'control')}`}</>;
}

function filterOf(parameters: URLSearchParams): Filter {
  return {
    name: parameters.get('name') ?? '',
    verdicts: new Set(parameters.getAll('verdict').filter((one): one is Verdict => (WORST_FIRST as readonly string[]).includes(one))),
    severities: new Set(parameters.getAll('severity').filter((one): one is Severity => (SEVERITIES as readonly string[]).includes(one))),
  };
}

function toggled<T extends string>(held: ReadonlySet<T>, one: T): T[] {
  return held.has(one) ? [...held].filter((other) => other !== one) : [...held, one];
}
