import { useQuery } from '@tanstack/react-query';
import { ask, Refusal } from '../ask';
import { NowDocument, type NowQuery } from '../gql/graphql';
import { useKey } from '../shell/session';
import { part, said, strictObject } from './strict';

/** What a version is at this moment: what an act binds, and what the gate would say of it. */
export interface Now {
  state: NowQuery['evaluate']['state'];
  reasons: readonly string[];
  requester: string;
  artifact: string | undefined;
  closure: string | undefined;
  approvals: ReadonlyMap<string, readonly string[]>; // what has changed since each, by its id
}

/** `hidden` says why it cannot be shown to this person, who may act all the same. */
export function useNow(target: string | undefined, environment: string) {
  const held = useKey();
  const found = useQuery({
    queryKey: ['now', target, environment, held],
    queryFn: async ({ signal }) => now((await ask(NowDocument, { target: { id: target! }, environment }, signal)).evaluate),
    enabled: target !== undefined,
  });
  const hidden = found.error instanceof Refusal ? `not shown: ${found.error.message}` : undefined;
  return { now: found.data, hidden, isPending: found.isPending, again: () => void found.refetch() };
}

function now(evaluated: NowQuery['evaluate']): Now {
  const evidence = strictObject(evaluated.evidence);
  const subject = part(evidence['subject']);
  const approvals = Array.isArray(evidence['approvals']) ? evidence['approvals'].map(part) : [];
  return {
    state: evaluated.state,
    reasons: evaluated.reasons,
    requester: evaluated.requester,
    artifact: said(subject['digest']) || undefined,
    closure: said(subject['closureDigest']) || undefined,
    approvals: new Map(approvals.map((each) => [said(each['id']), Array.isArray(each['changed']) ? each['changed'].map(said) : []])),
  };
}
