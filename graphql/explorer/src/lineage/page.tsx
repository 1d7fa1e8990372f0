import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useParameters } from '../address';
import { NodeSearch } from '../shell/search';
import { Empty, Failed, Loading, Note } from '../states';
import { plural, title } from '../words';
import { useExploration, useFound } from './exploration';
import { arranged, type Arrangement, extended } from './layout';
import type { View } from './graph';
import { Toolbar } from './toolbar';
import './lineage.css';

const Canvas = lazy(() => import('./canvas'));
const LineageTable = lazy(() => import('./table'));
const Panel = lazy(() => import('./panel'));
const NARROW = '(width < 640px)'; // there a table reads better than a drawing

export default function LineagePage() {
  const [parameters, change] = useParameters();
  const exploration = useExploration();
  const found = useFound(exploration);
  const selected = parameters.get('select');
  const shown = parameters.get('view') ?? (matchMedia(NARROW).matches ? 'table' : 'graph');
  const { arrangement, error, tidy } = useArrangement(found.view, exploration.subject, shown === 'graph' && !(found.isWaiting && !found.view));
  const select = (id: string | null) => change({ select: id }, { replace: true });
  const { view, root } = found;
  const rootNode = view?.nodes.find(({ id }) => id === root)?.node;
  useEffect(() => {
    document.title = rootNode ? `${title(rootNode)} · Lineward` : 'Lineage · Lineward';
  }, [rootNode]);
  if (!exploration.of) return <Start />;
  return (
    <div className="lineage" data-panel={selected ? '' : undefined}>
      <Toolbar rootNode={rootNode ?? undefined} exploration={exploration} found={found} arrangement={arrangement} shown={shown} tidy={tidy} />
      <div className="stage">
        {found.error ? (
          <Failed error={found.error} again={found.again} />
        ) : !view || !root ? (
          <Loading what="Asking what is around it" />
        ) : found.ways && view.nodes.length === 0 ? (
          <Empty headline="No way leads from one to the other"><p>In neither direction, at this point in time.</p></Empty>
        ) : (
          <>
            {found.truncated && <Note tone="cut">{plural(found.truncated.omitted, 'more node')} were found past the limit of {found.truncated.limit} and are not in this view. Expand a single node to see further.</Note>}
            {shown === 'table' ? (
              <Suspense fallback={<Loading what="Loading the table" />}>
                <LineageTable view={view} root={root} selected={selected} exploration={exploration} select={select} />
              </Suspense>
            ) : error ? (
              <Failed error={error} again={tidy} />
            ) : arrangement ? (
              <Suspense fallback={<Loading what="Loading the drawing" />}>
                <Canvas view={view} root={root} arrangement={arrangement} selected={selected} exploration={exploration} select={select} />
                <Legend view={view} />
              </Suspense>
            ) : (
              <Loading what={`Arranging ${plural(view.nodes.length, 'node')}`} />
            )}
          </>
        )}
        {found.isWaiting && view && <p className="busy" role="status">Loading…</p>}
      </div>
      {selected && view && (
        <Suspense>
          <Panel view={view} selected={selected} exploration={exploration} select={select} />
        </Suspense>
      )}
    </div>
  );
}

/** Where everything lies: arranged whole for a new subject or when asked to, and only extended by what is new after. */
function useArrangement(view: View | undefined, subject: string, isDue: boolean) {
  const [whole, setWhole] = useState<{ subject: string; arrangement: Arrangement }>();
  const [error, setError] = useState<unknown>();
  const kept = useRef<Arrangement>(undefined);
  const [wish, setWish] = useState(0);
  const latest = useRef(view);
  latest.current = view;
  const isReady = view !== undefined && isDue;
  useEffect(() => {
    const wanted = latest.current;
    if (!isReady || !wanted) return undefined;
    let isCurrent = true;
    arranged(wanted).then(
      (arrangement) => {
        if (!isCurrent) return;
        kept.current = arrangement;
        setError(undefined);
        setWhole({ subject, arrangement });
      },
      (reason: unknown) => isCurrent && setError(reason),
    );
    return () => {
      isCurrent = false;
    };
  }, [subject, isReady, wish]);
  if (!view || whole?.subject !== subject || !kept.current) return { arrangement: undefined, error, tidy: () => setWish(wish + 1) };
  const { positions, via } = kept.current;
  const isSame = positions.size === view.nodes.length && view.nodes.every(({ id }) => positions.has(id));
  if (!isSame) kept.current = { positions: extended(positions, view), via };
  return { arrangement: kept.current, error, tidy: () => setWish(wish + 1) };
}

function Legend({ view }: { view: View }) {
  const bases = new Set(view.edges.map(({ basis }) => basis));
  const changes = new Set([...view.edges, ...view.nodes].map((one) => one.change));
  return (
    <ul className="legend" aria-label="Legend">
      {bases.has('EXPLICIT') && <li><i className="line explicit" />explicit</li>}
      {bases.has('COLUMN') && <li><i className="line column" />column lineage</li>}
      {bases.has('INFERRED') && <li><i className="line inferred" />inferred</li>}
      {bases.has('ROLLUP') && <li><i className="line rollup" />rolled up</li>}
      {view.edges.some(({ stale }) => stale) && <li><i className="line stale" />stale</li>}
      {(['added', 'removed', 'changed'] as const).filter((one) => changes.has(one)).map((one) => <li key={one}><i className={`line ${one}`} />{one}</li>)}
    </ul>
  );
}

function Start() {
  const [, change] = useParameters();
  return (
    <Empty headline="Whose lineage?">
      <p>Find a model, dataset, job or column; or choose a model on the page of models.</p>
      <NodeSearch label="Find where to start" placeholder="Find where to start" pick={(node) => change({ of: node.id, grain: node.kind === 'FIELD' ? 'FIELD' : null })} />
    </Empty>
  );
}

