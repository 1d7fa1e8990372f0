import type { Enforcement, GateState, Severity, Verdict } from '../gql/graphql';
import './badge.css';

// Each has a shape of its own, so that none is told by its colour alone. Outlines on a square of 12 units.
const MARKS: Record<Verdict, string> = {
  ERROR: 'M6 2v5M6 9.4v.4',
  FAIL: 'M3 3l6 6M9 3l-6 6',
  UNKNOWN: 'M4 4.2a2 2 0 1 1 2.9 1.8c-.7.4-.9.8-.9 1.5M6 9.6v.3',
  WAIVED: 'M2 8.5 6 3l4 5.5M3.6 6.3h4.8',
  PASS: 'm2.5 6.4 2.4 2.4L9.6 3.4',
  NOT_APPLICABLE: 'M2.8 6h6.4',
};

const WORDS: Record<Verdict, string> = {
  ERROR: 'error',
  FAIL: 'fail',
  UNKNOWN: 'unknown',
  WAIVED: 'waived',
  PASS: 'pass',
  NOT_APPLICABLE: 'not applicable',
};

/** In the order of roll-up: the first that occurs is the verdict of the whole. */
export const VERDICTS: readonly Verdict[] = ['ERROR', 'FAIL', 'UNKNOWN', 'WAIVED', 'PASS', 'NOT_APPLICABLE'];

export function verdictWord(verdict: Verdict): string {
  return WORDS[verdict];
}

export function VerdictBadge({ of, count }: { of: Verdict; count?: number }) {
  return (
    <span className="verdict" data-verdict={of}>
      <svg viewBox="0 0 12 12" aria-hidden="true"><path d={MARKS[of]} /></svg>
      {count !== undefined && <b>{count}</b>} {WORDS[of]}
    </span>
  );
}

const ANSWERS: Record<GateState, { verdict: Verdict; words: (where: string) => string }> = {
  ALLOW: { verdict: 'PASS', words: (where) => `May go to ${where}` },
  DENY: { verdict: 'FAIL', words: (where) => `May not go to ${where}` },
  PENDING: { verdict: 'WAIVED', words: (where) => `Waits for approval to go to ${where}` },
  INDETERMINATE: { verdict: 'UNKNOWN', words: (where) => `Not decidable for ${where}` },
};

/** What the release gate would answer. */
export function GateAnswer({ of, where }: { of: GateState; where: string }) {
  const { verdict, words } = ANSWERS[of];
  return (
    <span className="verdict answer" data-verdict={verdict}>
      <svg viewBox="0 0 12 12" aria-hidden="true"><path d={MARKS[verdict]} /></svg>
      <bdi>{words(where)}</bdi>
    </span>
  );
}

const EFFECTS: Record<Enforcement, string> = { BLOCK: 'blocks', WARN: 'warns', ADVISE: 'advises' };

/** How bad a failure is, and what it does to a release. */
export function weight(severity: Severity, enforcement: Enforcement): string {
  return `${severity.toLowerCase()}, ${EFFECTS[enforcement]}`;
}

/** Where the law or standard says so; a link where its text has an address on the web. */
export function Citation({ article, uri }: { article: string; uri?: string | null | undefined }) {
  if (!uri || !/^https?:\/\//i.test(uri)) return <cite>{article}</cite>;
  return <cite><a href={uri} rel="noreferrer" target="_blank">{article}</a></cite>;
}
