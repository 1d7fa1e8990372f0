import type { DossierGapFragment } from '../gql/graphql';

/** The parts of the evidence document that these pages read; `docs/reference/evidence.md` has all of them. */
export interface Evidence {
  subject: Subject;
  trainingRuns?: TrainingRun[];
  trainingDatasets?: Dataset[];
  validationDatasets?: Dataset[];
  testDatasets?: Dataset[];
  inputColumns?: InputColumn[];
  evaluations?: Measured[];
  challengerEvaluations?: Measured[];
  approvals?: { id: string; current?: boolean; changed?: string[] }[];
  validations?: { at: string; by: string; outcome?: string; orgUnit?: string; current?: boolean }[];
  documents?: { type: string; version?: string; uri?: string; digest?: string; at?: string }[];
  lineage: { columnCoverage?: number; complete?: boolean; truncated?: boolean; gaps?: { kind: string; node: string; reason: string }[] };
  facts?: Fact[];
}

export interface Subject {
  id: string;
  digest?: string;
  closureDigest?: string;
  owner?: string;
  ownerUnit?: string;
  developedBy?: string[];
  unknownDevelopers?: string[];
  framework?: string;
  task?: string;
  licence?: string;
  intendedPurpose?: string;
  approvedUses?: string[];
  restrictedUses?: string[];
  riskTier?: string;
  materialityTier?: string;
  jurisdictions?: string[];
  sectors?: string[];
  useCase?: string;
  annex?: string;
  baseModel?: string;
}

export interface TrainingRun {
  id: string;
  environmentDigest?: string;
  seed?: number;
  authors?: string[];
  user?: string;
  inputs?: { id: string; role?: string }[];
}

export interface Dataset {
  id: string;
  namespace: string;
  name: string;
  version?: string;
  digest?: string;
  owner?: string;
  licence?: string;
  origin?: { source?: string; method?: string };
  storage?: { country?: string };
  personalData?: boolean;
  specialCategories?: string[];
  purposes?: string[];
  lawfulBasis?: string;
  retentionUntil?: string;
  labels?: string[];
  external?: boolean;
  derived?: boolean;
  direct?: boolean;
}

export interface InputColumn {
  id: string;
  dataset: string;
  field: string;
  labels: string[];
  masked?: boolean;
  justification?: unknown;
}

export interface Measured {
  run: string;
  kind?: string;
  at?: string;
  by?: string;
  datasetId?: string;
  passed?: boolean;
  independent?: boolean;
  metrics?: { name: string; value: number; slice?: string }[];
}

/** Who said what, and how sure it is: VERIFIED, ATTESTED, REPORTED, or SELF_DECLARED, which is not used. */
export interface Fact {
  pointer: string;
  actor: string;
  assurance: 'VERIFIED' | 'ATTESTED' | 'REPORTED' | 'SELF_DECLARED';
  at: string;
}

export function evidenceOf(text: string): Evidence {
  return JSON.parse(text) as Evidence;
}

/** What a reader of the page expects to find, whether a control asks for it or not. */
export const EXPECTED = [
  'subject.intendedPurpose',
  'subject.approvedUses',
  'subject.riskTier',
  'subject.owner',
  'subject.framework',
  'subject.licence',
  'subject.developersKnown',
  'trainingRuns',
  'trainingRuns.code.commit',
  'trainingRuns.environmentDigest',
  'trainingRuns.parametersDigest',
  'trainingRuns.seed',
  'trainingDatasets',
  'trainingDatasets.licence',
  'trainingDatasets.personalData',
  'trainingDatasets.origin.source',
  'trainingDatasets.owner',
  'evaluations',
];

/** Fields of one record that nobody told: `validations` of a version that nobody validated. */
export interface Unknown {
  of: string;
  fields: { name: string; meaning: string }[];
  controls: string[];
  lacking: Map<string, string>; // nodes by id, where it is not the version itself
  ways: { kind: string; name: string; parts: string[]; snippet: string }[];
}

/** Gaps of one record together, those first that most controls wait for. */
export function unknowns(gaps: readonly DossierGapFragment[]): Unknown[] {
  const found = new Map<string, Unknown>();
  for (const { path, item, name, meaning, controls, senders } of gaps) {
    const [first = path, ...rest] = path.split('.');
    const of = first === 'subject' ? path : first;
    const known: Unknown = found.get(of) ?? { of, fields: [], controls: [], lacking: new Map(), ways: [] };
    found.set(of, known);
    const field = of === path ? '' : rest.join('.');
    if (!known.fields.some((one) => one.name === field)) known.fields.push({ name: field, meaning });
    known.controls = [...new Set([...known.controls, ...controls])];
    if (item !== null) known.lacking.set(item, name);
    for (const sender of senders) {
      const way = known.ways.find((one) => one.kind === sender.kind && one.name === sender.name);
      if (!way) known.ways.push({ ...sender, parts: sender.property ? [sender.property] : [] });
      else if (sender.property && !way.parts.includes(sender.property)) way.parts.push(sender.property);
    }
  }
  return [...found.values()].toSorted((a, b) => b.controls.length - a.controls.length || a.of.localeCompare(b.of));
}

export function factsByPointer(evidence: Evidence): Map<string, Fact> {
  return new Map((evidence.facts ?? []).filter(({ assurance }) => assurance !== 'SELF_DECLARED').map((fact) => [fact.pointer, fact]));
}

export function counted<Of extends string>(words: Iterable<Of>): Map<Of, number> {
  const counts = new Map<Of, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

export function grouped<Of>(all: readonly Of[], key: (one: Of) => string): Map<string, Of[]> {
  const groups = new Map<string, Of[]>();
  for (const one of all) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}
