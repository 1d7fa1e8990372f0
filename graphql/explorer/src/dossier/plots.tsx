import type { ReactNode } from 'react';
import { legible } from '../words';

export interface Metric {
  name: string;
  value: number;
  unit?: string | null;
  slice?: string | null;
  higherIsBetter?: boolean | null;
}

export function rounded(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 10_000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(4)));
}

/** A drawing, and beneath it the numbers that it is drawn from. */
function Plot({ title, note, columns, rows, children }: { title: ReactNode; note?: ReactNode; columns: string[]; rows: ReactNode[][]; children: ReactNode }) {
  return (
    <figure className="plot">
      <figcaption>{title}{note && <span className="dim">{note}</span>}</figcaption>
      {children}
      <details>
        <summary>Numbers</summary>
        <table>
          <thead><tr>{columns.map((name, index) => <th key={name} scope="col" className={index ? 'number' : undefined}>{name}</th>)}</tr></thead>
          <tbody>{rows.map((row, index) => <tr key={index}>{row.map((cell, column) => (column ? <td key={column} className="number">{cell}</td> : <th key={column} scope="row">{cell}</th>))}</tr>)}</tbody>
        </table>
      </details>
    </figure>
  );
}

// Bars by group ------------------------------------------------------------------------------------------------------

export interface Bar {
  label: string;
  value: number;
  count?: number | undefined;
}

/** One metric of each group, with that of all as a line. */
export function Bars({ name, by, bars, whole, unit }: { name: string; by: string; bars: Bar[]; whole?: number | undefined; unit?: string | null | undefined }) {
  const values = [...bars.map(({ value }) => value), ...(whole === undefined ? [] : [whole])];
  const most = Math.max(...values, 0);
  const end = most <= 1 ? 1 : most;
  const least = Math.min(...bars.map(({ value }) => value));
  const share = Math.max(...bars.map(({ value }) => value)) > 0 && least >= 0 ? least / Math.max(...bars.map(({ value }) => value)) : undefined;
  const at = (value: number) => `${(Math.max(value, 0) / end) * 100}%`;
  const said = `${name} by ${by}: ${bars.map((one) => `${one.label} ${rounded(one.value)}`).join(', ')}`;
  return (
    <Plot
      title={<><b>{legible(name)}</b> by <bdi>{legible(by)}</bdi></>}
      note={share !== undefined && bars.length > 1 && `lowest is ${(share * 100).toFixed(1)} % of highest`}
      columns={['Group', 'Value', 'Rows']}
      rows={bars.map((one) => [<bdi key="g">{legible(one.label)}</bdi>, `${rounded(one.value)}${unit ? ` ${unit}` : ''}`, one.count?.toLocaleString('en') ?? '–'])}
    >
      <div className="bars" role="img" aria-label={legible(said)}>
        {bars.map((one, index) => (
          <div key={index} className="bar">
            <span className="name"><bdi>{legible(one.label)}</bdi></span>
            <svg width="100%" height="16" aria-hidden="true">
              <rect className="track" width="100%" height="10" y="3" rx="2" />
              <rect className="fill" width={at(one.value)} height="10" y="3" rx="2" />
              {whole !== undefined && <line className="whole" x1={at(whole)} x2={at(whole)} y1="0" y2="16" />}
            </svg>
            <span className="number">{rounded(one.value)}</span>
            <span className="number dim">{one.count === undefined ? '' : `n ${one.count.toLocaleString('en')}`}</span>
          </div>
        ))}
      </div>
      {whole !== undefined && <p className="dim key"><i className="tick" aria-hidden="true" />all of it: {rounded(whole)}</p>}
    </Plot>
  );
}

// Overall metrics against other versions on the same data ----------------------------------------------------------------

export function Overall({ metrics, others }: { metrics: Metric[]; others: ReadonlyMap<string, number[]> }) {
  const compared = metrics.some(({ name }) => others.get(name)?.length);
  return (
    <Plot
      title={<b>Over all of the data</b>}
      note={compared && <><i className="dot" aria-hidden="true" /> this version <i className="ring" aria-hidden="true" /> others on the same data, each measure on its own scale</>}
      columns={compared ? ['Measure', 'This version', 'Others'] : ['Measure', 'This version']}
      rows={metrics.map((one) => [legible(one.name), `${rounded(one.value)}${one.unit ? ` ${one.unit}` : ''}`, ...(compared ? [(others.get(one.name) ?? []).map(rounded).join(', ') || '–'] : [])])}
    >
      <div className="bars">
        {metrics.map((one, place) => {
          const values = [one.value, ...(others.get(one.name) ?? [])];
          const [low, high] = span(values);
          const at = (value: number) => `${2 + ((value - low) / (high - low)) * 96}%`;
          return (
            <div key={place} className="bar">
              <span className="name">{legible(one.name)}</span>
              <svg width="100%" height="16" aria-hidden="true">
                <line className="track" x1="0" x2="100%" y1="8" y2="8" />
                {(others.get(one.name) ?? []).map((value, index) => <circle key={index} className="ring" cx={at(value)} cy="8" r="4" />)}
                <circle className="dot" cx={at(one.value)} cy="8" r="4.5" />
              </svg>
              <span className="number">{rounded(one.value)}</span>
              <span className="number dim">{one.unit ?? BETTER[String(one.higherIsBetter)] ?? ''}</span>
            </div>
          );
        })}
      </div>
    </Plot>
  );
}

const BETTER: Record<string, string> = { true: '↑ better', false: '↓ better' };

/** Alone on a scale from 0; beside others on one of their own, or all dots would lie on each other. */
function span(values: number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (values.length > 1) {
    const room = Math.max(high - low, Math.abs(high) * 0.01, Number.MIN_VALUE) / 2;
    return [low - room, high + room];
  }
  return [Math.min(0, low), Math.max(high, low >= 0 && high <= 1 ? 1 : high, low + Number.MIN_VALUE)];
}

// Curves on the unit square -----------------------------------------------------------------------------------------------

export interface Point {
  x: number;
  y: number;
  at: string;
}

const SIDE = 200;
const MARGIN = 40;

/** Points between 0 and 1 both ways, and the diagonal that they are read against. */
export function Curve({ title, note, across, up, points, joined }: { title: string; note?: string; across: string; up: string; points: Point[]; joined: boolean }) {
  const x = (value: number) => MARGIN + value * SIDE;
  const y = (value: number) => 6 + (1 - value) * SIDE;
  const path = points.map((one, index) => `${index ? 'L' : 'M'}${x(one.x).toFixed(1)} ${y(one.y).toFixed(1)}`).join('');
  const said = `${title}: ${points.map((one) => `${across} ${rounded(one.x)}, ${up} ${rounded(one.y)}`).join('; ')}`;
  return (
    <Plot title={<b>{title}</b>} note={note} columns={['At', across, up]} rows={points.map((one) => [legible(one.at), rounded(one.x), rounded(one.y)])}>
      <svg className="curve" viewBox={`0 0 ${SIDE + MARGIN + 8} ${SIDE + 40}`} role="img" aria-label={said}>
        <rect className="frame" x={x(0)} y={y(1)} width={SIDE} height={SIDE} />
        {[0.25, 0.5, 0.75].map((value) => <path key={value} className="grid" d={`M${x(value)} ${y(0)}V${y(1)}M${x(0)} ${y(value)}H${x(1)}`} />)}
        <path className="diagonal" d={`M${x(0)} ${y(0)}L${x(1)} ${y(1)}`} />
        {joined && <path className="trace" d={path} />}
        {points.map((one, index) => <circle key={index} className="dot" cx={x(one.x)} cy={y(one.y)} r="3" />)}
        {[0, 0.5, 1].map((value) => (
          <g key={value} aria-hidden="true">
            <text x={x(value)} y={y(0) + 13} textAnchor="middle">{value}</text>
            <text x={x(0) - 5} y={y(value) + 3.5} textAnchor="end">{value}</text>
          </g>
        ))}
        <text x={x(0.5)} y={y(0) + 28} textAnchor="middle">{across}</text>
        <text transform={`translate(9 ${y(0.5)}) rotate(-90)`} textAnchor="middle">{up}</text>
      </svg>
    </Plot>
  );
}
