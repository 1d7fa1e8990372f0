import { hue, legible, plural, remark, shortVersion, title, word } from '../words';
import { Icon } from '../icons';
import type { Exploration } from './exploration';
import { distances, type View } from './graph';
import { BASIS, restOf } from './caption';

interface Props {
  view: View;
  root: string;
  selected: string | null;
  exploration: Exploration;
  select: (id: string | null) => void;
}

/** The same nodes and edges as the drawing, as rows. */
export default function LineageTable({ view, root, selected, exploration, select }: Props) {
  const far = distances(view, root);
  const rows = view.nodes.toSorted((a, b) => (far.get(a.id) ?? 0) - (far.get(b.id) ?? 0));
  const names = new Map(view.nodes.map((one) => [one.id, one.node ? title(one.node) : `+${restOf(one)}`]));
  return (
    <div className="tables">
      <table>
        <caption>{plural(view.nodes.filter(({ node }) => node).length, 'node')}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="wide">Kind</th>
            <th scope="col">Where</th>
            <th scope="col">Version or run</th>
            <th scope="col" className="wide">Namespace</th>
            <th scope="col">More</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((one) => (
            <tr key={one.id} aria-selected={one.id === selected} data-change={one.change}>
              <th scope="row">
                {one.node && <Icon of={hue(one.node.kind)} />}
                <button className="link" onClick={() => select(one.id)}><bdi>{names.get(one.id)}</bdi></button>
                <small className="narrow dim">{one.node ? word(one.node.kind) : 'not drawn'}</small>
                {one.change && <b className={`tag ${one.change}`}>{one.change}</b>}
                {one.node && remark(one.node) && <b className="tag">{remark(one.node)}</b>}
                {one.gaps.length > 0 && <b className="tag gap">gap</b>}
              </th>
              <td className="wide">{one.node ? word(one.node.kind) : 'not drawn'}</td>
              <td>{where(far.get(one.id))}</td>
              <td>{one.node && ('version' in one.node ? <code>{legible(shortVersion(one.node.version))}</code> : 'runId' in one.node ? <code>{one.node.runId.slice(0, 8)}</code> : '')}</td>
              <td className="wide"><bdi>{legible(one.node?.namespace ?? '')}</bdi></td>
              <td>
                {(['up', 'down'] as const).map((side) =>
                  one.hidden[side] > 0 ? (
                    <button key={side} className="link" onClick={() => exploration.expand({ id: one.id, side })}>+{one.hidden[side]} {side === 'up' ? 'upstream' : 'downstream'}</button>
                  ) : null,
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <table>
        <caption>{plural(view.edges.length, 'flow')}</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Basis</th>
            <th scope="col">Evidence</th>
          </tr>
        </thead>
        <tbody>
          {view.edges.map((edge) => (
            <tr key={edge.id} aria-selected={edge.id === selected} data-change={edge.change}>
              <td><bdi>{names.get(edge.from)}</bdi></td>
              <td><bdi>{names.get(edge.to)}</bdi></td>
              <td>{BASIS[edge.basis]}{edge.stale && <b className="tag stale">stale</b>}{edge.change && <b className={`tag ${edge.change}`}>{edge.change}</b>}</td>
              <td>{edge.part && <button className="link" onClick={() => select(edge.id)} aria-label={`Events behind ${names.get(edge.from)} to ${names.get(edge.to)}`}>events</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function where(distance: number | undefined): string {
  if (distance === undefined) return 'beside';
  if (distance === 0) return 'here';
  return `${Math.abs(distance)} ${distance < 0 ? 'up' : 'down'}`;
}
