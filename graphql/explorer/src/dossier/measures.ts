import type { Bar, Metric, Point } from './plots';

/** What can be drawn of the metrics of one evaluation; each metric is in exactly one of these. */
export interface Drawings {
  overall: Metric[];
  groups: { name: string; by: string; bars: Bar[]; whole: number | undefined; unit: string | null | undefined }[];
  roc: Point[];
  calibration: Point[];
}

const ACROSS_AND_UP: Record<string, readonly [across: string[], up: string[]]> = {
  threshold: [['false_positive_rate', 'fpr'], ['true_positive_rate', 'tpr']],
  bin: [['mean_predicted'], ['fraction_positive']],
};

/**
 * Metrics without a slice stand alone; those of slices such as `sex=female` become bars by what stands before the sign.
 * Slices `threshold=…` with true_positive_rate and false_positive_rate are a ROC curve, slices `bin=…` with
 * mean_predicted and fraction_positive a calibration curve.
 */
export function drawings(metrics: readonly Metric[], counts: ReadonlyMap<string, number>): Drawings {
  const overall = metrics.filter(({ slice }) => !slice);
  const curves = { threshold: points(metrics, 'threshold'), bin: points(metrics, 'bin') };
  const drawn = new Set(Object.values(curves).flatMap(({ used }) => used));
  const groups = new Map<string, Drawings['groups'][number]>();
  for (const one of metrics) {
    if (!one.slice || drawn.has(one)) continue;
    const [by, label] = partsOf(one.slice);
    const key = JSON.stringify([one.name, by]);
    const group = groups.get(key) ?? { name: one.name, by, bars: [], whole: overall.find(({ name }) => name === one.name)?.value, unit: one.unit };
    group.bars.push({ label, value: one.value, count: counts.get(one.slice) });
    groups.set(key, group);
  }
  return { overall, groups: [...groups.values()], roc: curves.threshold.points, calibration: curves.bin.points };
}

function partsOf(slice: string): [by: string, label: string] {
  const sign = slice.indexOf('=');
  return sign < 0 ? ['part', slice] : [slice.slice(0, sign), slice.slice(sign + 1)];
}

/** Pairs of measures of one slice, both between 0 and 1; what has no such partner is drawn otherwise. */
function points(metrics: readonly Metric[], by: string): { points: Point[]; used: Metric[] } {
  const [across, up] = ACROSS_AND_UP[by]!;
  const sliced = metrics.filter(({ slice, value }) => slice && partsOf(slice)[0] === by && value >= 0 && value <= 1);
  const found = sliced.filter(({ name }) => across.includes(name)).flatMap((x) => {
    const y = sliced.find(({ name, slice }) => up.includes(name) && slice === x.slice);
    return y ? [{ x, y }] : [];
  });
  const drawn = found.map(({ x, y }) => ({ x: x.value, y: y.value, at: partsOf(x.slice!)[1] }));
  return { points: drawn.toSorted((a, b) => a.x - b.x || a.y - b.y), used: found.flatMap(({ x, y }) => [x, y]) };
}

/** Rows of each slice, from the facet as its producer wrote it. */
export function countsOf(body: string | undefined): Map<string, number> {
  const slices = body === undefined ? [] : ((JSON.parse(body) as { slices?: { name: string; count?: number }[] }).slices ?? []);
  return new Map(slices.flatMap(({ name, count }) => (typeof count === 'number' ? [[name, count] as const] : [])));
}
