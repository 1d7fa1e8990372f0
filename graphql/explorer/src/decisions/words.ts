import type { GateState, JudgedFragment, ReleaseOutcome, Verdict } from '../gql/graphql';
import { legible, shortVersion } from '../words';

/** How good or bad a word is; the page never says it by colour alone. */
export type Tone = 'good' | 'bad' | 'wait' | 'quiet';

const TONES: Record<ReleaseOutcome | Verdict, Tone> = {
  ALLOW: 'good', GATED: 'good', PASS: 'good',
  DENY: 'bad', UNGATED: 'bad', FAIL: 'bad', ERROR: 'bad', INDETERMINATE: 'bad',
  PENDING: 'wait', LAPSED: 'wait', UNKNOWN: 'wait', WAIVED: 'wait',
  NOT_APPLICABLE: 'quiet',
};

export function tone(word: ReleaseOutcome | Verdict): Tone {
  return TONES[word];
}

export const OUTCOMES: Record<ReleaseOutcome, string> = {
  ALLOW: 'Allowed',
  DENY: 'Denied',
  PENDING: 'Waits for approval',
  INDETERMINATE: 'Not decidable',
  GATED: 'Deployed, allowed',
  LAPSED: 'Deployed, allow lapsed',
  UNGATED: 'Deployed, ungated',
};

export const STATES: Record<GateState, string> = {
  ALLOW: 'It may go.',
  DENY: 'It may not go.',
  PENDING: 'Nothing is missing but approvals.',
  INDETERMINATE: 'It could not be decided, and that is no yes.',
};

export function verdictWord(verdict: Verdict): string {
  return verdict.toLowerCase().replaceAll('_', ' ');
}

/** A name as one line that leaves room for others; the whole is in the title of the element. */
export function named(node: JudgedFragment | null | undefined): string {
  return node ? brief(legible(node.name)) : 'an unknown target';
}

export function brief(text: string, most = 80): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export function versionOf(node: JudgedFragment | null | undefined): string {
  return node && 'version' in node ? legible(shortVersion(node.version)) : '';
}

export function wholeName(node: JudgedFragment): string {
  return legible('version' in node ? `${node.name}@${node.version}` : node.name);
}

/** `2026-03-01 12:00:05` of an instant in UTC. */
export function second(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)}`;
}
