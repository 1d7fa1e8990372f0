import { detail, plural, remark, title, word } from '../words';
import type { ViewEdge, ViewNode } from './graph';

/** Everything that a card says, for those who hear it. */
export function spoken(one: ViewNode): string {
  if (!one.node) return `${restOf(one)}, not drawn one by one`;
  const { node } = one;
  const parts = [word(node.kind), title(node), detail(node), remark(node), one.change, one.gaps.length > 0 && plural(one.gaps.length, 'gap')];
  return parts.filter(Boolean).join(', ');
}

export function restOf({ rest }: ViewNode): string {
  const kinds = new Set(rest.map(({ kind }) => kind));
  const [kind] = kinds;
  return plural(rest.length, kinds.size === 1 && kind ? word(kind) : 'node');
}

export const BASIS = { EXPLICIT: 'explicit', COLUMN: 'column lineage', INFERRED: 'inferred', ROLLUP: 'rolled up' } as const;

/** Everything that a line says, for those who hear it. */
export function flowing(edge: ViewEdge, names: ReadonlyMap<string, string>): string {
  const ends = [edge.from, edge.to].map((id) => names.get(id) ?? '');
  return [ends.join(' to '), BASIS[edge.basis], edge.stale && 'stale', edge.change].filter(Boolean).join(', ');
}
