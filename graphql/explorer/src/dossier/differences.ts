import type { ComparedVerdictsQuery, ComparedVersionQuery } from '../gql/graphql';
import { legible, shortVersion } from '../words';
import { type Dataset, evidenceOf, type Evidence } from './evidence';
import { rounded } from './plots';
import { trainedOf } from './training';

type Compared = Extract<NonNullable<ComparedVersionQuery['node']>, { __typename: 'ModelVersion' }>;
type Inputs = ComparedVersionQuery['lineage'];
type Report = ComparedVerdictsQuery['evaluate'];

/** One of the two versions; without what the policies say where that could not be had. */
export interface Side {
  version: Compared;
  inputs: Inputs;
  report: Report | undefined;
}

/** How one thing stands on both sides. `same` is null where a side does not know it: that is neither. */
export interface Row {
  name: string;
  base: string | undefined;
  other: string | undefined;
  same: boolean | null;
  note?: string | undefined;
}

export interface Group {
  name: string;
  rows: Row[];
}

const ABSENT = undefined;

/** Everything that is compared, groups with differences first, and in each what differs first. */
export function differences(base: Side, other: Side): Group[] {
  const groups: Group[] = [
    { name: 'Data', rows: pairs(data(base), data(other)) },
    { name: 'Schema', rows: pairs(schema(base), schema(other)) },
    { name: 'Code', rows: [...known(code(base), code(other)), ...pairs(place(base), place(other))] },
    { name: 'Parameters', rows: pairs(parameters(base), parameters(other)) },
    { name: 'Environment', rows: [...known(environment(base), environment(other)), ...pairs(engine(base), engine(other))] },
    { name: 'Metrics', rows: metrics(base, other) },
    { name: 'Approvals', rows: pairs(approvals(base), approvals(other)) },
    { name: 'Verdicts', rows: pairs(verdicts(base), verdicts(other)) },
  ];
  const order = ({ same }: Row) => (same === false ? 0 : same === null ? 1 : 2);
  return groups
    .map(({ name, rows }) => ({ name, rows: rows.toSorted((a, b) => order(a) - order(b)) }))
    .toSorted((a, b) => Number(differing(b) > 0) - Number(differing(a) > 0));
}

export function differing({ rows }: Group): number {
  return rows.filter(({ same }) => same === false).length;
}

type Values = Map<string, string>;

/** What only one side has differs; what neither has is not there. */
function pairs(base: Values, other: Values): Row[] {
  const names = new Set([...base.keys(), ...other.keys()]);
  return [...names].map((name) => ({ name, base: base.get(name), other: other.get(name), same: base.get(name) === other.get(name) }));
}

/** What a side does not tell is not known, and so is whether it differs. */
function known(base: Values, other: Values): Row[] {
  return pairs(base, other).map((row) => {
    const [one, two] = [row.base || ABSENT, row.other || ABSENT];
    return { ...row, base: one, other: two, same: one === ABSENT || two === ABSENT ? null : one === two };
  });
}

function evidence({ report }: Side): Evidence | undefined {
  return report && evidenceOf(report.evidence);
}

function data(side: Side): Values {
  const found = evidence(side);
  const named = (role: string, list: Dataset[] | undefined) => (list ?? []).map((one) => [`${one.name} (${role})`, told(one.version ?? one.digest ?? one.id)] as const);
  if (!found) return united(inputsOf(side).map((one) => [one.name, told(one.version)] as const));
  return united([
    ...named('training', found.trainingDatasets?.filter(({ direct }) => direct)),
    ...named('upstream', found.trainingDatasets?.filter(({ direct }) => !direct)),
    ...named('validation', found.validationDatasets),
    ...named('test', found.testDatasets),
  ]);
}

/** Several of one name are told together, in an order that does not depend on how they came. */
function united(pairs: readonly (readonly [string, string])[]): Values {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  return new Map([...values].map(([name, list]) => [name, list.toSorted().join(', ')]));
}

function told(version: string): string {
  return legible(shortVersion(version));
}

function inputsOf({ inputs, version }: Side) {
  return inputs.nodes.flatMap((one) => ('version' in one && one.id !== version.id ? [one] : []));
}

function schema(side: Side): Values {
  const values: Values = new Map();
  for (const one of inputsOf(side)) {
    const body = one.written.find(({ name }) => name === 'schema')?.body;
    const rows = one.facets.find(({ name }) => name === 'outputStatistics')?.body;
    const count = rows === undefined ? undefined : (JSON.parse(rows) as { rowCount?: number }).rowCount;
    if (typeof count === 'number') values.set(`rows of ${one.name}`, count.toLocaleString('en'));
    const fields = body === undefined ? [] : ((JSON.parse(body) as { fields?: { name: string; type?: string }[] }).fields ?? []);
    for (const field of fields) values.set(`${field.name} in ${one.name}`, field.type ?? 'of a type that is not told');
  }
  return values;
}

function lastRun({ version }: Side) {
  return version.producers.at(-1);
}

function code(side: Side): Values {
  const found = lastRun(side)?.code;
  return new Map([
    ['Commit', found?.version ?? ''],
    ['Kept at', found?.repository ?? found?.url ?? ''],
  ]);
}

function place(side: Side): Values {
  const { path, branch } = lastRun(side)?.code ?? {};
  return new Map([...(path ? [['Path', path] as const] : []), ...(branch ? [['Branch', branch] as const] : [])]);
}

function parameters(side: Side): Values {
  return new Map((lastRun(side)?.parameters ?? []).map(({ key, value }) => [key, value ?? '']));
}

function environment(side: Side): Values {
  const run = lastRun(side);
  const trained = run ? trainedOf(run) : {};
  return new Map([
    ['Environment digest', trained.environmentDigest ?? ''],
    ['Seed', trained.seed?.toString() ?? ''],
    ['Framework', evidence(side)?.subject.framework ?? ''],
  ]);
}

function engine(side: Side): Values {
  const body = lastRun(side)?.facets.find(({ name }) => name === 'processing_engine')?.body;
  if (body === undefined) return new Map();
  const { name, version } = JSON.parse(body) as { name?: string; version?: string };
  return new Map([['Engine', [name, version].filter(Boolean).join(' ')]]);
}

function metrics(base: Side, other: Side): Row[] {
  const [one, two] = [measured(base), measured(other)];
  return [...new Set([...one.keys(), ...two.keys()])].map((name) => {
    const [before, after] = [one.get(name), two.get(name)];
    const isBoth = before !== undefined && after !== undefined;
    return {
      name,
      base: before && rounded(before.value),
      other: after && rounded(after.value),
      same: isBoth ? before.value === after.value : before === after,
      note: isBoth && before.value !== after.value ? change(before.value, after.value, after.higherIsBetter) : undefined,
    };
  });
}

/** The latest measurement of each measure, kind and slice. */
function measured({ version }: Side) {
  const found = version.evaluations.flatMap(({ kind, metrics }) => metrics.map((metric) => [[metric.name, metric.slice, kind].filter(Boolean).join(' · '), metric] as const));
  return new Map(found);
}

function change(before: number, after: number, higherIsBetter: boolean | null): string {
  const by = after - before;
  const judged = higherIsBetter === null ? '' : by > 0 === higherIsBetter ? ', better' : ', worse';
  return `${by > 0 ? '+' : '−'}${rounded(Math.abs(by))}${judged}`;
}

function approvals({ version }: Side): Values {
  return united(version.approvals.map((one) => [one.by, `${one.state.toLowerCase()} for ${one.environment}${one.use ? `, ${one.use}` : ''}`] as const));
}

function verdicts({ report }: Side): Values {
  return new Map((report?.controls ?? []).map(({ pack, control, title, verdict }) => [`${control} ${title} (${pack})`, verdict]));
}
