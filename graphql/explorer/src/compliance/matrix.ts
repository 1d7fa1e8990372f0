import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { ask } from '../ask';
import { type AsOf, ComplianceDocument, type ComplianceQuery, type CompliancePacksQuery, type Severity, type Verdict } from '../gql/graphql';
import { WORST_FIRST } from './mark';

type Page = ComplianceQuery['compliance'];
type Model = Page['nodes'][number];
export type Cell = Model['rows'][number]['controls'][number];
export type Pack = CompliancePacksQuery['policyPacks'][number];
export type Control = Pack['controls'][number];

/** One line of the grid: a version of a model, its verdicts by control. */
export type Line = Omit<Model['rows'][number], 'controls'> & { key: string; model: Model['model']; cells: ReadonlyMap<string, Cell> };

export interface Asked {
  pack: string;
  environment: string | null;
  latest: boolean;
  at: AsOf | undefined;
}

/** Where all pages of one matrix are read. */
export interface Position {
  at: AsOf;
  evaluatedAt: string;
}

const FIRST = 12; // models judged for the first answer, so that there soon is something to see
const PAGE = 40; // and for each that follows: some seconds of a server's time

/** The whole matrix, page after page at one position. What is there so far can be worked with. */
export function useMatrix(asked: Asked | undefined) {
  const query = useInfiniteQuery({
    queryKey: ['compliance', asked],
    enabled: asked !== undefined,
    staleTime: Infinity,
    gcTime: 60_000,
    initialPageParam: undefined as Page | undefined,
    queryFn: async ({ pageParam: before, signal }) => {
      const { at, ...rest } = asked!;
      const position = before ? positionOf(at, before) : { at: at ?? null, evaluatedAt: null };
      const answer = await ask(ComplianceDocument, { ...rest, ...position, first: before ? PAGE : FIRST, after: before?.pageInfo.endCursor ?? null }, signal);
      return answer.compliance;
    },
    getNextPageParam: (page) => (page.pageInfo.hasNextPage ? page : undefined),
  });
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  const pages = query.data?.pages;
  const lines = useMemo(() => pages?.flatMap(({ nodes }) => nodes).flatMap(linesOf) ?? [], [pages]);
  const first = pages?.[0];
  return {
    lines,
    total: first?.totalCount ?? 0,
    judged: pages?.reduce((sum, { nodes }) => sum + nodes.length, 0) ?? 0,
    position: first && positionOf(asked?.at, first),
    isComplete: query.isSuccess && !hasNextPage,
    isPending: query.isPending,
    error: query.error,
    again: () => void (query.isFetchNextPageError ? query.fetchNextPage() : query.refetch()),
  };
}

function positionOf(at: AsOf | undefined, page: Page): Position {
  return { at: { ...at, known: page.known }, evaluatedAt: page.evaluatedAt };
}

function linesOf({ model, rows }: Model): Line[] {
  return rows.map(({ controls, ...row }) => ({
    ...row,
    key: row.target?.id ?? model.id,
    model,
    cells: new Map(controls.map((cell) => [cell.control, cell])),
  }));
}

// Filters and order ---------------------------------------------------------------------------------------------------

export interface Filter {
  name: string;
  verdicts: ReadonlySet<Verdict>;
  severities: ReadonlySet<Severity>;
}

/** The same as the server's for exports: a verdict fits where its verdict and its control's severity are wanted. */
export function fits(cell: Cell, control: Control, filter: Filter): boolean {
  return (filter.verdicts.size === 0 || filter.verdicts.has(cell.verdict)) && (filter.severities.size === 0 || filter.severities.has(control.severity));
}

export function shownControls(controls: readonly Control[], filter: Filter): Control[] {
  return controls.filter(({ severity }) => filter.severities.size === 0 || filter.severities.has(severity));
}

/** Lines whose model has the name, and of which at least one verdict fits; those that were not judged by their own verdict. */
export function shownLines(lines: readonly Line[], controls: readonly Control[], filter: Filter): Line[] {
  const wanted = filter.name.toLowerCase();
  return lines.filter((line) => {
    if (!line.model.name.toLowerCase().includes(wanted) && !line.model.namespace?.toLowerCase().includes(wanted)) return false;
    if (line.trouble !== null) return filter.verdicts.size === 0 || filter.verdicts.has(line.verdict);
    return controls.some((control) => {
      const cell = line.cells.get(control.id);
      return cell && fits(cell, control, filter);
    });
  });
}

const RANK = new Map(WORST_FIRST.map((verdict, rank) => [verdict, rank]));

/** By name as they come, by all their verdicts (`worst`), or by that of one control; the worst first. */
export function sorted(lines: readonly Line[], by: string): Line[] {
  if (by === 'name') return [...lines];
  if (by === 'worst') {
    const weights = new Map(lines.map((line) => [line, weightsOf(line)]));
    return lines.toSorted((one, other) => compared(weights.get(one)!, weights.get(other)!));
  }
  const rank = (line: Line) => RANK.get(line.cells.get(by)?.verdict ?? line.verdict) ?? WORST_FIRST.length;
  return lines.toSorted((one, other) => rank(one) - rank(other));
}

/** How many of each verdict, the worst first; a line without verdicts counts as one of its own. */
function weightsOf(line: Line): number[] {
  const counts = WORST_FIRST.map(() => 0);
  for (const { verdict } of line.cells.values()) counts[RANK.get(verdict)!]! += 1;
  if (line.trouble !== null) counts[RANK.get(line.verdict)!]! += 1;
  return counts;
}

function compared(one: readonly number[], other: readonly number[]): number {
  for (const [rank, count] of one.entries()) if (count !== other[rank]) return other[rank]! - count;
  return 0;
}

export function counted(lines: readonly Line[]): Map<Verdict, number> {
  const counts = new Map<Verdict, number>();
  const add = (verdict: Verdict) => counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  for (const line of lines) {
    if (line.trouble !== null) add(line.verdict);
    for (const { verdict } of line.cells.values()) add(verdict);
  }
  return counts;
}
