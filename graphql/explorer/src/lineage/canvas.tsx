import { Background, BackgroundVariant, BaseEdge, Controls, type Edge, type EdgeProps, type Node, type NodeProps, Position, ReactFlow, type ReactFlowInstance } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { type KeyboardEvent, memo, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Icon } from '../icons';
import { detail, hue, isTroubled, remark, title } from '../words';
import { flowing, restOf, spoken } from './caption';
import { type Exploration } from './exploration';
import type { Side, View, ViewEdge, ViewNode } from './graph';
import { type Arrangement, bounds, curve, HEIGHT, type Point, type Positions, WIDTH } from './layout';
import './canvas.css';

type CardData = { one: ViewNode; isRoot: boolean; toggle: (one: ViewNode, side: Side) => void };
type Card = Node<CardData, 'card'>;
type Link = Edge<{ edge: ViewEdge; via: readonly Point[] | undefined }, 'link'>;

const CULL_ABOVE = 150; // nodes; below, all are drawn and can be tabbed to
const READABLE = 0.8;
const LARGEST = 1.15;
const EDGE = 24; // pixels left free around the drawing when it opens

const handles = [
  { type: 'target' as const, position: Position.Left, x: 0, y: HEIGHT / 2, width: 0, height: 0 },
  { type: 'source' as const, position: Position.Right, x: WIDTH, y: HEIGHT / 2, width: 0, height: 0 },
];

const CardView = memo(({ data: { one, isRoot, toggle }, selected }: NodeProps<Card>) => {
  const { node } = one;
  if (!node) {
    return (
      <div className="card rest" data-selected={selected || undefined}>
        <div className="text">
          <div className="name">+{restOf(one)}</div>
          <div className="detail">open to list them, or to draw more</div>
        </div>
        <Ends />
      </div>
    );
  }
  const state = 'state' in node ? node.state : undefined;
  return (
    <div className={`card ${hue(node.kind)}`} data-selected={selected || undefined} data-root={isRoot || undefined} data-change={one.change} data-external={one.gaps.some(({ kind }) => kind === 'EXTERNAL') || undefined} title={title(node)}>
      <Icon of={hue(node.kind)} />
      <div className="text">
        <div className="name"><bdi>{title(node)}</bdi></div>
        <div className="detail">
          {one.change && <b className={`tag ${one.change}`}>{one.change}</b>}
          {remark(node) && <b className="tag" data-troubled={isTroubled(state) || undefined}>{remark(node)}</b>}
          {one.gaps.length > 0 && <b className="tag gap" title={one.gaps.map(({ reason }) => reason).join('\n')}>{one.gaps.length === 1 ? 'gap' : `${one.gaps.length} gaps`}</b>}
          <bdi>{detail(node)}</bdi>
        </div>
      </div>
      <Ends />
      <More one={one} side="up" toggle={toggle} />
      <More one={one} side="down" toggle={toggle} />
    </div>
  );
});

/** Where edges attach; without them the library drops every edge, and says nothing. */
function Ends() {
  return (
    <>
      <i className="target" data-handlepos="left" />
      <i className="source" data-handlepos="right" />
    </>
  );
}

function More({ one, side, toggle }: { one: ViewNode; side: Side; toggle: CardData['toggle'] }) {
  const isOpen = one.open[side] && one.hidden[side] === 0;
  if (!isOpen && one.hidden[side] === 0) return null;
  const way = side === 'up' ? 'upstream' : 'downstream';
  const name = one.node ? title(one.node) : '';
  return (
    <button
      className={`more ${side} nodrag nopan`}
      tabIndex={-1}
      aria-label={isOpen ? `Collapse what is ${way} of ${name}` : `Show ${one.hidden[side]} ${way} of ${name}`}
      onClick={(event) => (event.stopPropagation(), toggle(one, side))}
    >
      {isOpen ? '−' : `+${one.hidden[side]}`}
    </button>
  );
}

const LinkView = memo(({ id, sourceX, sourceY, targetX, targetY, data }: EdgeProps<Link>) => (
  <BaseEdge
    id={id}
    path={curve({ x: sourceX, y: sourceY }, { x: targetX, y: targetY }, data?.via)}
    className={`link ${data?.edge.basis.toLowerCase()} ${data?.edge.stale ? 'stale' : ''} ${data?.edge.change ?? ''}`}
    interactionWidth={14}
  />
));

const nodeTypes = { card: CardView };
const edgeTypes = { link: LinkView };

interface Props {
  view: View;
  root: string;
  arrangement: Arrangement;
  selected: string | null;
  exploration: Exploration;
  select: (id: string | null) => void;
}

/** The drawing. It moves under whoever drags it, and by nothing else but their asking for a card out of sight. */
export default function Canvas({ view, root, arrangement, selected, exploration, select }: Props) {
  const [flow, setFlow] = useState<ReactFlowInstance<Card, Link>>();
  const stage = useRef<HTMLDivElement>(null);
  const { positions, via } = arrangement;
  const { expand, collapse } = exploration;
  const toggle = useCallback(
    (one: ViewNode, side: Side) => {
      const step = { id: one.id, side };
      if (one.open[side] && one.hidden[side] === 0) collapse(step);
      else expand(step);
    },
    [expand, collapse],
  );
  useEffect(() => {
    if (flow && stage.current) void flow.setViewport(opening(positions, root, stage.current.getBoundingClientRect()));
    // once for each subject: what is expanded later must not move the drawing
    // eslint-disable-next-line
  }, [flow, exploration.subject]);
  const nodes = useMemo(
    () =>
      view.nodes
        .filter(({ id }) => positions.has(id))
        .map((one): Card => ({
          id: one.id,
          type: 'card',
          position: positions.get(one.id)!,
          data: { one, isRoot: one.id === root, toggle },
          width: WIDTH,
          height: HEIGHT,
          measured: { width: WIDTH, height: HEIGHT },
          handles,
          selected: one.id === selected,
          ariaLabel: spoken(one),
        })),
    [view, positions, root, selected, toggle],
  );
  const names = useMemo(() => new Map(view.nodes.map((one) => [one.id, one.node ? title(one.node) : restOf(one)])), [view]);
  const edges = useMemo(
    () =>
      view.edges.map((edge): Link => ({
        id: edge.id,
        type: 'link',
        source: edge.from,
        target: edge.to,
        data: { edge, via: via.get(edge.id) },
        focusable: false,
        ariaLabel: flowing(edge, names),
        selected: edge.id === selected,
        className: selected !== null && (edge.from === selected || edge.to === selected) ? 'near' : '',
      })),
    [view, via, names, selected],
  );
  const focus = (id: string) => {
    const at = positions.get(id);
    if (!at || !flow || !stage.current) return;
    if (!isInSight(at, flow, stage.current)) void flow.setCenter(at.x + WIDTH / 2, at.y + HEIGHT / 2, { zoom: flow.getZoom() });
    const element = () => stage.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
    const drawn = element();
    if (drawn) drawn.focus({ preventScroll: true });
    else requestAnimationFrame(() => requestAnimationFrame(() => element()?.focus({ preventScroll: true })));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const id = event.target instanceof Element ? event.target.closest<HTMLElement>('.react-flow__node')?.dataset['id'] : undefined;
    const one = view.nodes.find((node) => node.id === id);
    if (!one) return;
    const side = event.key === 'ArrowLeft' ? 'up' : event.key === 'ArrowRight' ? 'down' : undefined;
    if (side && event.shiftKey && one.node) toggle(one, side);
    else if (event.key.startsWith('Arrow')) {
      const next = neighbour(one.id, event.key, view, positions);
      if (next) focus(next);
    } else if (event.key === 'Enter' || event.key === ' ') select(one.id);
    else if (event.key === 'Escape') select(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="drawing" ref={stage} onKeyDownCapture={onKeyDown}>
      <ReactFlow<Card, Link>
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onInit={setFlow}
        onNodeClick={(_, node) => select(node.id)}
        onEdgeClick={(_, edge) => edge.data?.edge.part && select(edge.id)}
        onPaneClick={() => select(null)}
        onlyRenderVisibleElements={nodes.length > CULL_ABOVE}
        minZoom={0.05}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        deleteKeyCode={null}
        proOptions={{ hideAttribution: true }}
        aria-label="Lineage graph: arrow keys walk along it, Enter shows details, Shift with left or right expands"
      >
        <Background variant={BackgroundVariant.Dots} gap={24} size={1} />
        <Controls showInteractive={false} position="bottom-right" />
      </ReactFlow>
    </div>
  );
}

/** Everything if it stays readable, else the root at a readable size with as much around it as there is room for. */
function opening(positions: Positions, root: string, stage: DOMRect): { x: number; y: number; zoom: number } {
  const box = bounds(positions);
  const zoom = Math.min(LARGEST, Math.max(READABLE, Math.min((stage.width - 2 * EDGE) / box.width, (stage.height - 128) / box.height)));
  const centre = positions.get(root) ?? { x: box.left, y: box.top };
  const along = (size: number, start: number, length: number, middle: number): number =>
    length * zoom <= size - 2 * EDGE
      ? (size - length * zoom) / 2 - start * zoom
      : Math.max(size - EDGE - (start + length) * zoom, Math.min(EDGE - start * zoom, size / 2 - middle * zoom));
  return {
    x: along(stage.width, box.left, box.width, centre.x + WIDTH / 2),
    y: along(stage.height, box.top, box.height, centre.y + HEIGHT / 2),
    zoom,
  };
}

function isInSight(at: Point, flow: ReactFlowInstance<Card, Link>, stage: HTMLElement): boolean {
  const { x, y, zoom } = flow.getViewport();
  const [left, top] = [at.x * zoom + x, at.y * zoom + y];
  return left >= 0 && top >= 0 && left + WIDTH * zoom <= stage.clientWidth && top + HEIGHT * zoom <= stage.clientHeight;
}

/** The card that an arrow key leads to: along an edge to the nearest, or up and down a column. */
function neighbour(id: string, key: string, view: View, positions: Positions): string | undefined {
  const here = positions.get(id)!;
  const far = (other: string) => Math.abs(positions.get(other)!.y - here.y);
  const along = key === 'ArrowLeft' ? view.edges.filter(({ to }) => to === id).map(({ from }) => from) : key === 'ArrowRight' ? view.edges.filter(({ from }) => from === id).map(({ to }) => to) : columnOf(id, key, positions);
  return along.filter((other) => positions.has(other)).sort((a, b) => far(a) - far(b))[0];
}

function columnOf(id: string, key: string, positions: Positions): string[] {
  const here = positions.get(id)!;
  const below = key === 'ArrowDown';
  return [...positions].filter(([other, at]) => other !== id && Math.abs(at.x - here.x) < WIDTH / 2 && at.y > here.y === below).map(([other]) => other);
}
