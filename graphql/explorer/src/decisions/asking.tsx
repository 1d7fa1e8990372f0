import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { DecideDocument, type JudgedFragment, VersionsOfDocument } from '../gql/graphql';
import { NodeSearch } from '../shell/search';
import { legible } from '../words';
import { Acting, type Bound, Dialog, text, Window } from './dialog';
import { brief, STATES, versionOf, wholeName } from './words';

/** Puts a version before the gate: what it answers is recorded, and names who asked. */
export function AskTheGate({ of, environment, button = 'Ask the gate' }: { of?: JudgedFragment; environment?: string; button?: string }) {
  const [parameters, change] = useParameters();
  const wanted = of ? null : parameters.get('ask');
  const content = (close: () => void) => <Asking of={of} wanted={wanted ?? undefined} environment={environment} close={close} />;
  const leave = () => change({ ask: null }, { replace: true });
  return (
    <>
      <Dialog button={button} title="Ask the release gate">{content}</Dialog>
      {wanted && <Window title="Ask the release gate" close={leave}>{content(leave)}</Window>}
    </>
  );
}

interface Props {
  of: JudgedFragment | undefined;
  wanted: string | undefined; // the id of a model or version that the address names
  environment: string | undefined;
  close: () => void;
}

function Asking({ of, wanted, environment, close }: Props) {
  const [parameters] = useParameters();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState(wanted);
  const found = useQuery({
    queryKey: ['versions of', chosen],
    queryFn: ({ signal }) => ask(VersionsOfDocument, { id: chosen! }, signal),
    enabled: chosen !== undefined,
  }).data?.node;
  const versions: readonly JudgedFragment[] = of ? [of] : found?.__typename === 'Model' ? found.versions.nodes : found ? [found] : [];
  const bind = (given: FormData): Bound | string => {
    const version = versions.find(({ id }) => id === given.get('version'));
    const where = text(given, 'environment');
    if (chosen && !found) return 'Its versions are still being asked for. Try again in a moment.';
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
      {!of && !chosen && <NodeSearch label="Find the model" placeholder="Find the model" kinds={['MODEL']} pick={(node) => setChosen(node.id)} />}
      {versions.length > 0 && (
        <label>
          Version of <bdi>{brief(legible(versions[0]!.name))}</bdi>
          <select name="version" required>
            {versions.map((each) => <option key={each.id} value={each.id}>{versionOf(each)}</option>)}
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
