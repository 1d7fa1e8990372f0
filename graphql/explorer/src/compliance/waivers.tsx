import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { day, legible, plural, shortVersion } from '../words';
import type { Line } from './matrix';

type Waiver = Line['waivers'][number];

const DAY = 86_400_000;

/** How a waiver stands as of an instant, with how long that lasts. */
export function WaiverState({ of, now }: { of: Waiver; now?: string | undefined }) {
  const until = of.until ? `${day(of.until)} UTC` : 'for ever';
  if (of.standing === 'PROPOSED') return <><b className="tag gap">waits for a second person</b> would end {until}</>;
  if (of.standing === 'REVOKED') return <><b className="tag">revoked</b></>;
  if (of.standing === 'EXPIRED') return <><b className="tag stale">expired</b> {until}</>;
  const days = of.until && now ? Math.floor((Date.parse(of.until) - Date.parse(now)) / DAY) : undefined;
  return <><b className={`tag ${days !== undefined && days < 14 ? 'gap' : ''}`}>stands</b> until {until}{days !== undefined && ` (${days < 1 ? 'less than a day' : plural(days, 'day')} left)`}</>;
}

/** Every waiver of a control of the pack, the next to end first. */
export function Waivers({ lines, now, choose }: { lines: readonly Line[]; now: string | undefined; choose: (line: string, control: string) => void }) {
  const [parameters] = useParameters();
  const found = lines.flatMap((line) => line.waivers.map((waiver) => ({ line, waiver })));
  if (found.length === 0) return <p className="state">Nobody asked for a waiver of a control of this pack, on the versions shown here.</p>;
  const ended = ({ waiver }: (typeof found)[number]) => waiver.standing === 'EXPIRED' || waiver.standing === 'REVOKED';
  const ordered = found.toSorted((one, other) => Number(ended(one)) - Number(ended(other)) || (one.waiver.until ?? '').localeCompare(other.waiver.until ?? ''));
  return (
    <div className="waivers" tabIndex={0} role="region" aria-label="Waivers">
      <table>
        <thead>
          <tr><th scope="col">Model</th><th scope="col">Control</th><th scope="col">How it stands</th><th scope="col">Asked by</th><th scope="col">Second person</th><th scope="col">Why, and what is done instead</th></tr>
        </thead>
        <tbody>
          {ordered.map(({ line, waiver }) => (
            <tr key={waiver.id}>
              <th scope="row"><Link href={linkTo('/lineage', parameters, { of: line.key })}><bdi>{legible(line.model.name)}</bdi></Link> <code>{legible(shortVersion(line.target?.version ?? ''))}</code></th>
              <td><button className="link" onClick={() => choose(line.key, waiver.control)}>{legible(waiver.control)}</button>{waiver.items.length > 0 && <p className="dim">{plural(waiver.items.length, 'item')}</p>}</td>
              <td><WaiverState of={waiver} now={now} /></td>
              <td><bdi>{legible(waiver.by)}</bdi></td>
              <td>{waiver.countersignedBy ? <bdi>{legible(waiver.countersignedBy)}</bdi> : <span className="dim">none</span>}</td>
              <td><bdi>{legible(waiver.reason ?? '')}</bdi> <span className="dim"><bdi>{legible(waiver.compensatingControl)}</bdi></span></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
