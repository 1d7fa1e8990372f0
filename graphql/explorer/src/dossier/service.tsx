import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import type { DossierQuery } from '../gql/graphql';
import { day, legible, plural } from '../words';
import { grouped } from './evidence';

type Interval = DossierQuery['deployments']['nodes'][number];

const GATES: Record<Interval['gate']['state'], string> = {
  GATED: 'allowed',
  LAPSED: 'the allow had lapsed',
  UNGATED: 'nothing had allowed it',
};

/** Where the version served when: a strip for each service and role, and the same as a table. */
export function Service({ intervals, total, until }: { intervals: readonly Interval[]; total: number; until: string }) {
  const [parameters] = useParameters();
  if (intervals.length === 0) return <p className="dim">It has not served, as far as any service told.</p>;
  const strips = grouped(intervals, (one) => [one.deployment?.name ?? 'an unknown service', one.environment ?? '', one.role].join('\n'));
  const start = Math.min(...intervals.map(({ since }) => Date.parse(since)));
  const end = Math.max(Date.parse(until), ...intervals.map((one) => Date.parse(one.until ?? one.since)));
  const at = (instant: number) => `${((instant - start) / Math.max(end - start, 1)) * 100}%`;
  return (
    <>
      <div className="strips" role="img" aria-label={`${plural(intervals.length, 'interval')} of service since ${day(new Date(start).toISOString())} UTC; the table below lists them`}>
        {[...strips].map(([key, list]) => (
          <div key={key} className="strip">
            <span className="name"><bdi>{legible(list[0]!.deployment?.name ?? 'an unknown service')}</bdi> <span className="dim"><bdi>{legible([list[0]!.environment, list[0]!.role].filter(Boolean).join(', '))}</bdi></span></span>
            <svg width="100%" height="20" aria-hidden="true">
              <line className="track" x1="0" x2="100%" y1="10" y2="10" />
              {list.map((one) => {
                const from = Date.parse(one.since);
                const to = one.until ? Date.parse(one.until) : end;
                return <rect key={one.id} className="served" data-gate={one.gate.state} data-state={one.state} x={at(from)} style={{ width: `max(3px, ${at(start + Math.max(to - from, 0))})` }} y="4" height="12" rx="2" />;
              })}
            </svg>
          </div>
        ))}
        <p className="strip dim axis"><span /><span><span>{day(new Date(start).toISOString())}</span><span>{day(new Date(end).toISOString())} UTC</span></span></p>
      </div>
      <table>
        <thead><tr><th scope="col">Service</th><th scope="col">Where</th><th scope="col">Role</th><th scope="col" className="when">Since (UTC)</th><th scope="col" className="when">Until</th><th scope="col">Release gate</th></tr></thead>
        <tbody>
          {intervals.map((one) => (
            <tr key={one.id}>
              <th scope="row">{one.deployment ? <Link href={linkTo('/lineage', parameters, { of: one.deployment.id, grain: 'JOB' })}><bdi>{legible(one.deployment.name)}</bdi></Link> : <b className="tag gap">not known</b>}</th>
              <td>{one.environment ? <bdi>{legible(one.environment)}</bdi> : <b className="tag gap">not told</b>}</td>
              <td><bdi>{legible(one.role)}</bdi>{typeof one.share === 'number' && one.share < 1 && ` ${Math.round(one.share * 100)} %`}</td>
              <td>{day(one.since)}</td>
              <td>{one.state === 'UNKNOWN' ? <b className="tag gap">silent since {day(one.until)}</b> : one.until ? day(one.until) : 'serving'}</td>
              <td data-gate={one.gate.state}>{one.gate.decision ? <Link href={linkTo(`/decisions/${one.gate.decision.id}`, parameters)}>{GATES[one.gate.state]}</Link> : GATES[one.gate.state]}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {total > intervals.length && <p className="dim">The first {intervals.length} of {plural(total, 'interval')}; the <a href="/graphql">console</a> has all.</p>}
    </>
  );
}
