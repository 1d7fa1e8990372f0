import type { AsOf, Basis, GapKind, GraphPartFragment, Grain, NodeBriefFragment, SnapshotPart } from './types';

export type Side = 'up' | 'down';
export type Change = 'added' | 'removed' | 'changed';
export type EdgePart = GraphPartFragment['edges'][number];
export type { AsOf, Basis, GapKind, Grain, NodeBriefFragment, SnapshotPart };

/** One node's neighbours on one side, asked for by whoever reads the page. */
export interface Step {
  id: string;
  side: Side;
}

/** Everything that answers said, whether drawn or not. */
export interface Known {
  nodes: Map<string, NodeBriefFragment>;
  edges: Map<string, EdgePart>;
  up: Map<string, Set<string>>;
  down: Map<string, Set<string>>;
  gaps: Map<string, { kind: GapKind; reason: string }[]>;
}

export interface ViewNode {
  id: string;
  /** Null for the rest of a fan, which stands for `rest` nodes between `parent` and its `side`. */
  node: NodeBriefFragment | null;
  rest: readonly NodeBriefFragment[];
  parent?: Step;
  hidden: Record<Side, number>;
  open: Record<Side, boolean>;
  gaps: { kind: GapKind; reason: string }[];
  change?: Change | undefined;
}

export interface ViewEdge {
  id: string;
  from: string;
  to: string;
  basis: Basis;
  stale: boolean;
  change?: Change | undefined;
  part: EdgePart | null;
}

export interface View {
  nodes: ViewNode[];
  edges: ViewEdge[];
}

export const FAN = 8; // neighbours of one node that are drawn before the rest of them becomes one card
export const FAN_STEP = 20;

const WORK = new Set(['JOB', 'RUN', 'DEPLOYMENT']);

export function edgeId(from: string, to: string): string {
  return `${from}>${to}`;
}

export function knownOf(parts: Iterable<Pick<GraphPartFragment, 'nodes' | 'edges'> & Partial<Pick<GraphPartFragment, 'gaps'>>>): Known {
  const known: Known = { nodes: new Map(), edges: new Map(), up: new Map(), down: new Map(), gaps: new Map() };
  for (const part of parts) {
    for (const node of part.nodes) known.nodes.set(node.id, node);
    for (const edge of part.edges) {
      known.edges.set(edgeId(edge.from, edge.to), edge);
      into(known.down, edge.from, edge.to);
      into(known.up, edge.to, edge.from);
    }
    for (const gap of part.gaps ?? []) {
      const before = known.gaps.get(gap.node) ?? [];
      if (!before.some((one) => one.kind === gap.kind && one.reason === gap.reason)) known.gaps.set(gap.node, [...before, gap]);
    }
  }
  return known;
}

function into(map: Map<string, Set<string>>, key: string, value: string): void {
  const held = map.get(key);
  if (held) held.add(value);
  else map.set(key, new Set([value]));
}

/** The nodes one hop away: past a run or job to the data on its other side. Columns have nothing between them. */
function hop(known: Known, { id, side }: Step): Step[] {
  const near = [...(known[side].get(id) ?? [])];
  const anchors: Step[] = [{ id, side }];
  for (const one of near) if (isWork(known, one) && !isWork(known, id)) anchors.push({ id: one, side });
  return anchors;
}

function isWork(known: Known, id: string): boolean {
  return WORK.has(known.nodes.get(id)?.kind ?? '');
}

interface Fan {
  shown: string[];
  rest: string[];
}

/**
 * What is drawn: the root, one hop for each step whose node is drawn, in their order.
 * A step whose node is no longer drawn is without effect, so collapsing a node takes along what hung on it.
 */
export function explored(known: Known, root: string, steps: readonly Step[], fans: ReadonlyMap<string, number>): View {
  const shown = new Set<string>([root]);
  const groups = new Map<string, { parent: Step; rest: string[] }>();
  for (const step of steps) {
    if (!shown.has(step.id)) continue;
    for (const anchor of hop(known, step)) {
      if (anchor.id !== step.id && !shown.has(anchor.id)) continue;
      const fan = fanned(known, anchor, shown, fans.get(fanName(anchor)) ?? FAN);
      for (const id of fan.shown) shown.add(id);
      if (fan.rest.length > 0) groups.set(fanName(anchor), { parent: anchor, rest: fan.rest });
    }
  }
  return drawn(known, shown, steps, groups);
}

export function fanName({ id, side }: Step): string {
  return `${side === 'up' ? '-' : '+'}${id}`;
}

function fanned(known: Known, { id, side }: Step, shown: ReadonlySet<string>, limit: number): Fan {
  const all = [...(known[side].get(id) ?? [])].filter((one) => known.nodes.has(one));
  const fresh = all.filter((one) => !shown.has(one)).sort((a, b) => byName(known.nodes.get(a)!, known.nodes.get(b)!));
  if (fresh.length <= limit + 1) return { shown: fresh, rest: [] };
  return { shown: fresh.slice(0, limit), rest: fresh.slice(limit) };
}

function byName(a: NodeBriefFragment, b: NodeBriefFragment): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1;
}

/** Every node and edge that answers hold: for ways between two nodes. */
export function everything(known: Known): View {
  return drawn(known, new Set(known.nodes.keys()), [], new Map());
}

function drawn(
  known: Known,
  shown: ReadonlySet<string>,
  steps: readonly Step[],
  groups: ReadonlyMap<string, { parent: Step; rest: string[] }>,
): View {
  const grouped = new Map([...groups].map(([name, { parent, rest }]) => [name, { parent, rest: rest.filter((id) => !shown.has(id)) }]));
  const nodes = [...shown].filter((id) => known.nodes.has(id)).map((id): ViewNode => {
    const hidden = (side: Side): number => {
      const inGroup = new Set(grouped.get(fanName({ id, side }))?.rest);
      return [...(known[side].get(id) ?? [])].filter((one) => !shown.has(one) && !inGroup.has(one)).length;
    };
    const open = (side: Side): boolean => steps.some((step) => step.id === id && step.side === side);
    return {
      id,
      node: known.nodes.get(id)!,
      rest: [],
      hidden: { up: hidden('up'), down: hidden('down') },
      open: { up: open('up'), down: open('down') },
      gaps: known.gaps.get(id) ?? [],
    };
  });
  const edges = [...known.edges.values()]
    .filter((edge) => shown.has(edge.from) && shown.has(edge.to))
    .map((part): ViewEdge => ({ id: edgeId(part.from, part.to), from: part.from, to: part.to, basis: part.basis, stale: part.stale ?? false, part }));
  for (const [name, { parent, rest }] of grouped) {
    if (rest.length === 0 || !shown.has(parent.id)) continue;
    const id = `rest${name}`;
    const [from, to] = parent.side === 'down' ? [parent.id, id] : [id, parent.id];
    const stands = rest.map((one) => known.nodes.get(one)!);
    nodes.push({ id, node: null, rest: stands, parent, hidden: { up: 0, down: 0 }, open: { up: false, down: false }, gaps: [] });
    edges.push({ id: edgeId(from, to), from, to, basis: 'EXPLICIT', stale: false, part: null });
  }
  return { nodes, edges };
}

/** Marks what only one of two points in time has, and what both have differently. `earlier` may hold nothing. */
export function compared(view: View, later: Known, earlier: Known): View {
  const nodes = view.nodes.map((one) => ({ ...one, change: one.node ? change(later.nodes.get(one.id), earlier.nodes.get(one.id), stateOf) : undefined }));
  const edges = view.edges.map((one) => ({ ...one, change: one.part ? change(later.edges.get(one.id), earlier.edges.get(one.id), meaningOf) : undefined }));
  return { nodes, edges };
}

function change<T>(now: T | undefined, before: T | undefined, meaning: (of: T) => string): Change | undefined {
  if (!before) return now && 'added';
  if (!now) return 'removed';
  return meaning(now) === meaning(before) ? undefined : 'changed';
}

function stateOf(node: NodeBriefFragment): string {
  return 'state' in node ? node.state : '';
}

function meaningOf(edge: EdgePart): string {
  return `${edge.basis} ${edge.stale ?? false} ${edge.transformations.map((one) => `${one.type} ${one.subtype} ${one.masking}`).sort().join()}`;
}

/** How many edges lie between each node and the root; negative upstream. What no edge joins to the root is left out. */
export function distances(view: View, root: string): Map<string, number> {
  const found = new Map([[root, 0]]);
  const queue = [root];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    const here = found.get(id)!;
    for (const { from, to } of view.edges) {
      const [next, at] = from === id && here >= 0 ? [to, here + 1] : to === id && here <= 0 ? [from, here - 1] : [undefined, 0];
      if (next !== undefined && !found.has(next)) {
        found.set(next, at);
        queue.push(next);
      }
    }
  }
  return found;
}
