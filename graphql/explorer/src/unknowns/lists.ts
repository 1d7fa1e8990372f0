import { ask } from '../ask';
import { type AsOf, EndingDocument, UnapprovedModelsDocument, UnendedRunsDocument, UnresolvedDatasetsDocument } from '../gql/graphql';

export const LISTS = ['datasets', 'runs', 'models', 'ending'] as const;

export type List = (typeof LISTS)[number];

export const NAMES: Record<List, string> = {
  datasets: 'Unresolved datasets',
  runs: 'Runs that never ended',
  models: 'Models without an approver',
  ending: 'About to end',
};

export interface Part {
  at: AsOf | null;
  first: number;
  after: string | null;
}

/** A part of each list; of `first: 1` the count is what matters. */
export const PARTS = {
  datasets: async (part: Part, signal?: AbortSignal) => (await ask(UnresolvedDatasetsDocument, part, signal)).unresolvedDatasets,
  runs: async (part: Part, signal?: AbortSignal) => (await ask(UnendedRunsDocument, part, signal)).unendedRuns,
  models: async (part: Part, signal?: AbortSignal) => (await ask(UnapprovedModelsDocument, part, signal)).unapprovedModels,
  ending: async (part: Part, signal?: AbortSignal) => (await ask(EndingDocument, part, signal)).ending,
} as const;

export type Found<L extends List> = Awaited<ReturnType<(typeof PARTS)[L]>>;
