import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { DecideDocument, type JudgedFragment, VersionsOfDocument } from '../gql/graphql';
import { NodeSearch } from '../shell/search';
import { legible, shortVersion } from '../words';
import { Acting, type Bound, Dialog, text, Window } from './dialog';
import { STATES, versionOf, wholeName } from './words';

/** Puts a version before the gate: what it answers is recorded, and names who asked. */
export function AskTheGate({ of, environment, button = 'Ask the gate' }: { of?: JudgedFragment; environment?: string; button?: string }) {
  const [parameters, change] = useParameters();
  const wanted = of ? null : parameters.get('ask');
  const content = (close: () => void) => <Asking of={of?.id ?? wanted ?? undefined} environment={environment} close={close} />;
  const leave = () => change({ ask: null }, { replace: true });
  return (
    <>
      <Dialog button={button} title="Ask the release gate">{content}</Dialog>
      {wanted && <Window title="Ask the release gate" close={leave}>{content(leave)}</Window>}
    </>
  );
}

function Asking({ of, environment, close }: { of: string | undefined; environment: string | undefined; close: () => void }) {
  const [parameters] = useParameters();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState(of);
  const found = useQuery({
    queryKey: ['versions of', chosen],
    queryFn: ({ signal }) => ask(VersionsOfDocument, { id: chosen! }, signal),
    enabled: chosen !== undefined,
  }).data?.node;
  const versions = found?.__typename === 'Model' ? found.versions.nodes : found?.__typename === 'ModelVersion' ? [found] : [];
  const bind = (given: FormData): Bound | string => {
    const version = versions.find(({ id }) => id === given.get('version'));
    const where = text(given, 'environment');
    if (!version) return 'Choose a version of a model.';
    if (!where) return 'Name the environment that it is to go into.';
    const use = text(given, 'use');
    return {
      facts: [
        ['version', <bdi key="v">{wholeName(version)}</bdi>],
        ['in', <bdi key="n">{legible(version.namespace ?? '')}</bdi>],
        ['environment', legible(where)],
        ['use', use ?? 'not said'],
        ['recorded', 'as a release decision, before it is answered'],
      ],
      verb: 'Ask the gate',
      run: async () => {
        const { decide } = await ask(DecideDocument, { input: { target: { id: version.id }, environment: where, use: use ?? null } });
        return {
          headline: `${decide.state}: ${STATES[decide.state]}`,
          facts: decide.reasons.map((reason) => ['because', <bdi key={reason}>{legible(reason)}</bdi>] as const),
          entries: decide.entry ? [{ id: decide.id, ...decide.entry }] : [],
          next: <Link className="button" href={linkTo(`/decisions/${decide.id}`, parameters)} onClick={close}>Open the decision</Link>,
        };
      },
    };
  };
  return (
    <Acting bind={bind} close={close} after={() => void queries.invalidateQueries()}>
      <p className="dim">Whoever asks counts as none of those who approve: let somebody ask who will not.</p>
      {!of && !found && <NodeSearch label="Find the model" placeholder="Find the model" kinds={['MODEL']} pick={(node) => setChosen(node.id)} />}
      {found && (
        <label>
          Version of <bdi>{legible(found.name)}</bdi>
          <select name="version" required>
            {versions.map((each) => <option key={each.id} value={each.id}>{versionOf(each) || legible(shortVersion(each.version))}</option>)}
          </select>
        </label>
      )}
      <label>
        Environment
        <input name="environment" required defaultValue={environment ?? 'production'} spellCheck={false} />
      </label>
      <label>
        Use <span className="dim">left empty: not said</span>
        <input name="use" />
      </label>
    </Acting>
  );
}
