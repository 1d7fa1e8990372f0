import type { Enforcement, Verdict } from '../gql/graphql';

// Each verdict has a shape of its own, so that none is told by its colour alone. Outlines on a square of 12 units.
const SHAPES: Record<Verdict, string> = {
  ERROR: 'M6 2v5M6 9.4v.4',
  FAIL: 'M3 3l6 6M9 3l-6 6',
  UNKNOWN: 'M4 4.2a2 2 0 1 1 2.9 1.8c-.7.4-.9.8-.9 1.5M6 9.6v.3',
  WAIVED: 'M2 8.5 6 3l4 5.5M3.6 6.3h4.8',
  PASS: 'm2.5 6.4 2.4 2.4L9.6 3.4',
  NOT_APPLICABLE: 'M4 6h4',
};

export const VERDICT_WORDS: Record<Verdict, string> = {
  ERROR: 'error',
  FAIL: 'fail',
  UNKNOWN: 'unknown',
  WAIVED: 'waived',
  PASS: 'pass',
  NOT_APPLICABLE: 'not applicable',
};

export const EFFECTS: Record<Enforcement, string> = { BLOCK: 'blocks a release', WARN: 'warns', ADVISE: 'advises' };

/** In the order of roll-up, the worst first. */
export const WORST_FIRST: readonly Verdict[] = ['ERROR', 'FAIL', 'UNKNOWN', 'WAIVED', 'PASS', 'NOT_APPLICABLE'];

/** What is said beside it has to name the verdict: the mark itself is silent. Filled where it blocks a release. */
export function Mark({ of, enforcement = 'BLOCK' }: { of: Verdict; enforcement?: Enforcement | undefined }) {
  return (
    <svg className="mark" data-verdict={of} data-soft={enforcement === 'BLOCK' ? undefined : ''} viewBox="0 0 12 12" aria-hidden="true">
      <path d={SHAPES[of]} />
    </svg>
  );
}
