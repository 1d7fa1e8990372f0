import type { NodeBriefFragment, NodeKind } from './gql/graphql';

export const WORDS: Partial<Record<NodeKind, string>> = {
  DATASET: 'dataset',
  DATASET_VERSION: 'dataset version',
  MODEL: 'model',
  MODEL_VERSION: 'model version',
  FIELD: 'column',
  JOB: 'job',
  DEPLOYMENT: 'deployment',
  RUN: 'run',
};

export type Hue = 'data' | 'model' | 'work' | 'service' | 'column';

const HUES: Partial<Record<NodeKind, Hue>> = {
  DATASET: 'data',
  DATASET_VERSION: 'data',
  MODEL: 'model',
  MODEL_VERSION: 'model',
  FIELD: 'column',
  JOB: 'work',
  RUN: 'work',
  DEPLOYMENT: 'service',
};

export function hue(kind: NodeKind): Hue {
  return HUES[kind] ?? 'work';
}

export function word(kind: NodeKind): string {
  return WORDS[kind] ?? kind.toLowerCase().replaceAll('_', ' ');
}

export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : nouns}`;
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A name as one line: characters that steer a terminal or the direction of text are shown, not obeyed. */
export function legible(text: string): string {
  return text.replace(CONTROL, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The beginning of a version: digests and UUIDs are long, and their beginnings tell them apart. */
export function shortVersion(version: string): string {
  const bare = version.replace(/^sha256:/, '');
  if (/^[0-9a-f]{16,}$/i.test(bare)) return bare.slice(0, 8);
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(bare)) return bare.slice(0, 8);
  return bare.length > 24 ? `${bare.slice(0, 23)}…` : bare;
}

export function day(instant: string | null | undefined): string {
  return instant ? `${instant.slice(0, 10)} ${instant.slice(11, 16)}` : '';
}

/** What tells a node from others of its name. */
export function detail(node: NodeBriefFragment): string {
  switch (node.__typename) {
    case 'DatasetVersion':
    case 'ModelVersion':
      return legible(shortVersion(node.version));
    case 'Run':
      return [node.runId.slice(0, 8), day(node.started ?? node.ended)].filter(Boolean).join(' · ');
    case 'Field':
      return legible(node.name);
    default:
      return legible(node.namespace ?? '');
  }
}

/** What a node is called on a card: a column by its path, all else by its name. */
export function title(node: NodeBriefFragment): string {
  return legible(node.__typename === 'Field' ? node.path : node.name);
}

/** A state worth saying beside the detail; what is as it should be says nothing. */
export function remark(node: NodeBriefFragment): string | undefined {
  const state = 'state' in node ? node.state : undefined;
  return state && !['CURRENT', 'COMPLETED'].includes(state) ? state.toLowerCase().replaceAll('_', ' ') : undefined;
}

export function isTroubled(state: string | undefined): boolean {
  return state === 'FAILED' || state === 'ABORTED' || state === 'CONFLICTED';
}
