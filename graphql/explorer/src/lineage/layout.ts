import ELK, { type ElkExtendedEdge } from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { View } from './graph';

export interface Point {
  x: number;
  y: number;
}
export type Positions = ReadonlyMap<string, Point>;

/** Where cards lie, and the points that the way of an edge goes through. */
export interface Arrangement {
  positions: Positions;
  via: ReadonlyMap<string, readonly Point[]>;
}

export const WIDTH = 220;
export const HEIGHT = 58;
const BETWEEN = 52;
const PITCH = WIDTH + BETWEEN;
const GAP = 20;

const elk = new ELK({ workerUrl }); // from here on its worker compiles, while the first answer is still under way

/** A layered layout of everything, off the main thread. */
export async function arranged(view: View): Promise<Arrangement> {
  const laid = await elk.layout({
    id: 'root',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.edgeRouting': 'POLYLINE',
      'elk.layered.spacing.nodeNodeBetweenLayers': String(BETWEEN),
      'elk.spacing.nodeNode': String(GAP),
      'elk.layered.nodePlacement.strategy': placement(view.nodes.length),
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
      'elk.layered.unnecessaryBendpoints': 'true',
      'elk.spacing.edgeNode': '20',
      'elk.layered.spacing.edgeNodeBetweenLayers': '16',
      'elk.separateConnectedComponents': 'true',
    },
    children: view.nodes.map(({ id }) => ({ id, width: WIDTH, height: HEIGHT })),
    edges: view.edges.map(({ id, from, to }) => ({ id, sources: [from], targets: [to] })),
  });
  const positions = new Map((laid.children ?? []).map(({ id, x, y }) => [id, { x: Math.round(x ?? 0), y: Math.round(y ?? 0) }]));
  const via = new Map(((laid.edges ?? []) as ElkExtendedEdge[]).map(({ id, sections }) => [id, sections?.[0]?.bendPoints ?? []]));
  return { positions, via };
}

function placement(count: number): string {
  return count > 300 ? 'SIMPLE' : count > 60 ? 'LINEAR_SEGMENTS' : 'NETWORK_SIMPLEX';
}

/** Positions for what is new in a view, beside what it hangs on. What is already drawn stays where it is. */
export function extended(known: Positions, view: View): Positions {
  const drawn = new Set(view.nodes.map(({ id }) => id));
  const positions = new Map([...known].filter(([id]) => drawn.has(id)));
  let waiting = view.nodes.filter(({ id }) => !positions.has(id)).map(({ id }) => id);
  while (waiting.length > 0) {
    const beside = anchored(waiting, positions, view);
    if (beside.size === 0) break;
    for (const { anchor, side, ids } of beside.values()) place(positions, anchor, side, ids);
    waiting = waiting.filter((id) => !positions.has(id));
  }
  const lowest = Math.max(0, ...[...positions.values()].map(({ y }) => y + HEIGHT + GAP));
  waiting.forEach((id, index) => positions.set(id, { x: 0, y: lowest + index * (HEIGHT + GAP) }));
  return positions;
}

interface Batch {
  anchor: string;
  side: 1 | -1;
  ids: string[];
}

function anchored(waiting: readonly string[], positions: Positions, view: View): Map<string, Batch> {
  const open = new Set(waiting);
  const found = new Map<string, Batch>();
  for (const { from, to } of view.edges) {
    const [id, anchor, side] = open.has(to) && positions.has(from) ? [to, from, 1 as const] : open.has(from) && positions.has(to) ? [from, to, -1 as const] : [];
    if (id === undefined || anchor === undefined || side === undefined) continue;
    open.delete(id);
    const key = `${anchor} ${side}`;
    const batch = found.get(key) ?? { anchor, side, ids: [] };
    batch.ids.push(id);
    found.set(key, batch);
  }
  return found;
}

/** Into the free gaps of the next column, nearest to the anchor first. */
function place(positions: Map<string, Point>, anchor: string, side: 1 | -1, ids: readonly string[]): void {
  const from = positions.get(anchor)!;
  const x = from.x + side * PITCH;
  const taken = [...positions.values()].filter((at) => Math.abs(at.x - x) < WIDTH + 12).map(({ y }) => y);
  const isFree = (y: number) => taken.every((other) => Math.abs(other - y) >= HEIGHT + GAP);
  const found: number[] = [];
  for (let step = 0; found.length < ids.length; step++) {
    const off = (step * (HEIGHT + GAP)) / 2;
    for (const y of step === 0 ? [from.y] : [from.y + off, from.y - off]) {
      if (found.length < ids.length && isFree(y)) {
        found.push(y);
        taken.push(y);
      }
    }
  }
  found.sort((a, b) => a - b);
  ids.forEach((id, index) => positions.set(id, { x, y: found[index]! }));
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export function bounds(positions: Positions): Box {
  const at = [...positions.values()];
  const left = Math.min(...at.map(({ x }) => x));
  const top = Math.min(...at.map(({ y }) => y));
  return {
    left,
    top,
    width: Math.max(...at.map(({ x }) => x)) + WIDTH - left,
    height: Math.max(...at.map(({ y }) => y)) + HEIGHT - top,
  };
}

/** A curve that leaves and arrives level and passes level through each waypoint, so that it goes around cards. */
export function curve(from: Point, to: Point, via: readonly Point[] = []): string {
  let path = `M${from.x},${from.y}`;
  let a = from;
  for (const b of [...via, to]) {
    const along = b.x - a.x;
    const bend = via.length > 0 ? along / 2 : Math.min(Math.max(Math.abs(along) * 0.5, 36), 140);
    path += `C${a.x + bend},${a.y} ${b.x - bend},${b.y} ${b.x},${b.y}`;
    a = b;
  }
  return path;
}
