import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { asOf, useParameters } from '../address';
import { ask, Refusal } from '../ask';
import { type Direction, type GraphPartFragment, type Grain, HopDocument, WaysDocument } from '../gql/graphql';
import { type AsOf, compared, everything, explored, fanName, FAN, FAN_STEP, type Known, knownOf, type Side, type Step, type View } from './graph';

const DEPTH = 2; // one hop is drawn; the second is asked for so that what is not drawn can be counted
const LIMIT = 500;

export interface Exploration {
  of: string;
  to: string | null;
  grain: Grain;
  direction: Direction;
  steps: Step[];
  at: AsOf | undefined;
  versus: AsOf | undefined;
  /** Changes whenever what is drawn has nothing to do with what was: then it is arranged afresh. */
  subject: string;
  expand: (step: Step) => void;
  collapse: (step: Step) => void;
  unfold: (parent: Step) => void;
  fans: ReadonlyMap<string, number>;
}

/** What the address says is to be drawn, and how to change it. */
export function useExploration(): Exploration {
  const [parameters, change] = useParameters();
  return useMemo(() => {
    const of = parameters.get('of') ?? '';
    const to = parameters.get('to');
    const grain = oneOf(['JOB', 'RUN', 'FIELD'] as const, parameters.get('grain'), 'RUN');
    const direction = oneOf(['UPSTREAM', 'DOWNSTREAM', 'BOTH'] as const, parameters.get('direction'), 'BOTH');
    const opened = parameters.getAll('open');
    const fans = new Map(parameters.getAll('more').map((text) => [text.slice(0, text.lastIndexOf('.')), Number(text.slice(text.lastIndexOf('.') + 1)) || FAN]));
    const at = asOf(parameters);
    const versus = asOf(parameters, 'v');
    return {
      of,
      to,
      grain,
      direction,
      at,
      versus,
      fans,
      steps: opened.filter((text) => /^[-+]./.test(text)).map(stepOf),
      subject: JSON.stringify([of, to, grain, direction, at, versus]),
      expand: (step) => change({ open: [...opened.filter((one) => one !== fanName(step)), fanName(step)] }),
      collapse: (step) => {
        if (opened.includes(fanName(step))) change({ open: opened.filter((one) => one !== fanName(step)) });
        else change({ direction: step.side === 'up' ? 'DOWNSTREAM' : 'UPSTREAM' });
      },
      unfold: (parent) => {
        const name = fanName(parent);
        const more = new Map(fans).set(name, (fans.get(name) ?? FAN) + FAN_STEP);
        change({ more: [...more].map(([key, count]) => `${key}.${count}`) });
      },
    };
  }, [parameters, change]);
}

function stepOf(text: string): Step {
  return { id: text.slice(1), side: text.startsWith('-') ? 'up' : 'down' };
}

function oneOf<Value extends string>(values: readonly Value[], given: string | null, otherwise: Value): Value {
  return values.find((value) => value === given) ?? otherwise;
}

export interface Found {
  view: View | undefined;
  root: string | undefined;
  known: Known | undefined;
  error: unknown;
  again: () => void;
  isWaiting: boolean;
  truncated: { omitted: number; limit: number } | undefined;
  /** The log that the answer was read from; null before there is one. */
  read: { size: number; root: string } | undefined;
  ways: { forth: number; back: number } | undefined;
}

interface Hop {
  at: AsOf | undefined;
  id: string;
  direction: Direction;
}

/** The answers to an exploration, as what is to be drawn. */
export function useFound(exploration: Exploration): Found {
  const { of, to, grain, direction, steps, at, versus, fans } = exploration;
  const hops = to || !of ? [] : hopsOf(exploration);
  const answers = useQueries({
    queries: hops.map((hop) => ({
      queryKey: ['hop', hop.id, hop.direction, grain, hop.at],
      queryFn: ({ signal }: { signal: AbortSignal }) => askHop(hop, grain, hop.at === versus && versus !== undefined, signal),
    })),
  });
  const ways = useQuery({
    queryKey: ['ways', of, to, at],
    queryFn: ({ signal }) => ask(WaysDocument, { from: { id: of }, to: { id: to ?? '' }, at: at ?? null }, signal),
    enabled: Boolean(of && to),
  });
  const parts = answers.map((answer) => answer.data);
  const derived = useMemo(() => {
    if (ways.data && to) {
      const known = knownOf([...ways.data.forth, ...ways.data.back]);
      return { known, view: everything(known), root: of };
    }
    const first = parts[0];
    if (!first) return undefined;
    const held = parts.flatMap((part) => (part ? [part] : []));
    const known = knownOf(held);
    const root = rootOf(first);
    const view = explored(known, root, [...rootSteps(root, direction), ...steps], fans);
    if (!versus) return { known, view, root };
    const side = (wanted: AsOf | undefined) => knownOf(hops.flatMap((hop, index) => (hop.at === wanted && parts[index] ? [parts[index]] : [])));
    return { known, root, view: compared(view, side(at), side(versus)) };
    // `parts` is a new list each time; its members are kept by the cache
    // eslint-disable-next-line
  }, [ways.data, to, ...parts, exploration]);
  const failed = answers.find((answer) => answer.isError) ?? (ways.isError ? ways : undefined);
  const cut = parts.reduce((sum, part) => sum + (part?.truncated?.reason === 'LIMIT' ? part.truncated.omitted : 0), 0);
  const snapshot = parts[0]?.snapshot;
  return {
    view: derived?.view,
    root: derived?.root,
    known: derived?.known,
    error: failed?.error,
    again: () => void failed?.refetch(),
    isWaiting: answers.some((answer) => answer.isPending) || ways.isLoading,
    truncated: cut > 0 ? { omitted: cut, limit: LIMIT } : undefined,
    read: ways.data && to ? ways.data.log : snapshot && { size: snapshot.known, root: snapshot.root },
    ways: ways.data && to ? { forth: ways.data.forth.length, back: ways.data.back.length } : undefined,
  };
}

function hopsOf({ of, direction, steps, at, versus }: Exploration): Hop[] {
  const wanted = [{ id: of, direction }, ...steps.map(({ id, side }) => ({ id, direction: side === 'up' ? ('UPSTREAM' as const) : ('DOWNSTREAM' as const) }))];
  return (versus ? [at, versus] : [at]).flatMap((moment) => wanted.map((hop) => ({ ...hop, at: moment })));
}

/** What a node was called to at an earlier time may be unknown then: a difference treats that as nothing. */
async function askHop({ id, direction, at }: Hop, grain: Grain, mayBeMissing: boolean, signal: AbortSignal): Promise<GraphPartFragment> {
  try {
    const answer = await ask(HopDocument, { of: { id }, direction, depth: DEPTH, grain, limit: LIMIT, at: at ?? null }, signal);
    return answer.lineage;
  } catch (error) {
    if (!mayBeMissing || !(error instanceof Refusal) || error.code !== 'NOT_FOUND') throw error;
    return { root: { __typename: 'Job', id, kind: 'JOB', namespace: null, name: '' }, nodes: [], edges: [], truncated: null, gaps: [], snapshot: { logSize: 0, root: '', valid: null, known: 0 } };
  }
}

/** A version asked for at JOB grain is answered with its dataset or model. */
function rootOf(part: GraphPartFragment): string {
  if (part.nodes.some(({ id }) => id === part.root.id)) return part.root.id;
  const kin = part.nodes.find(({ namespace, name }) => namespace === part.root.namespace && name === part.root.name);
  return kin?.id ?? part.root.id;
}

function rootSteps(id: string, direction: Direction): Step[] {
  const sides: Record<Direction, Side[]> = { UPSTREAM: ['up'], DOWNSTREAM: ['down'], BOTH: ['up', 'down'] };
  return sides[direction].map((side) => ({ id, side }));
}
