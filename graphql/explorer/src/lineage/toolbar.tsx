import { type FormEvent, useRef } from 'react';
import { useParameters } from '../address';
import type { NodeBriefFragment } from '../gql/graphql';
import { day, detail, title } from '../words';
import type { Exploration, Found } from './exploration';
import type { AsOf } from './graph';
import type { Arrangement } from './layout';

interface Props {
  rootNode: NodeBriefFragment | undefined;
  exploration: Exploration;
  found: Found;
  arrangement: Arrangement | undefined;
  shown: string;
  tidy: () => void;
}

export function Toolbar({ rootNode, exploration, found, arrangement, shown, tidy }: Props) {
  const [, change] = useParameters();
  const { grain, direction, to } = exploration;
  const other = found.view?.nodes.find(({ id }) => id === to)?.node;
  return (
    <div className="toolbar">
      <h1>
        <span className="dim">{to ? 'From ' : 'Lineage of '}</span>
        <bdi>{rootNode ? title(rootNode) : '…'}</bdi> <span className="dim version"><bdi>{rootNode && detail(rootNode)}</bdi></span>
        {to && <><span className="dim"> to </span><bdi>{other ? title(other) : '…'}</bdi></>}
      </h1>
      {to ? (
        <>
          {found.ways && <span className="dim">{ways(found.ways)}</span>}
          <button className="button" onClick={() => change({ to: null })}>Show all around</button>
        </>
      ) : (
        <>
          <Choice label="Grain" value={grain} choices={{ JOB: 'Job', RUN: 'Run', FIELD: 'Field' }} choose={(value) => change({ grain: value, open: null, more: null, select: null })} />
          <Choice label="Direction" value={direction} choices={{ UPSTREAM: 'Up', BOTH: 'Both', DOWNSTREAM: 'Down' }} choose={(value) => change({ direction: value })} />
        </>
      )}
      <span className="grow" />
      {!to && <Compare exploration={exploration} />}
      <Choice label="View" value={shown} choices={{ graph: 'Graph', table: 'Table' }} choose={(view) => change({ view })} />
      {shown === 'graph' && <button className="button" onClick={tidy} disabled={!arrangement}>Tidy</button>}
      <Export exploration={exploration} found={found} arrangement={arrangement} name={rootNode ? `${title(rootNode)} ${detail(rootNode)}` : ''} />
    </div>
  );
}

function ways({ forth, back }: { forth: number; back: number }): string {
  return [forth > 0 && `${forth} downstream`, back > 0 && `${back} upstream`].filter(Boolean).join(', ') || 'none';
}

interface ChoiceProps<Value extends string> {
  label: string;
  value: string;
  choices: Record<Value, string>;
  choose: (value: Value) => void;
}

function Choice<Value extends string>({ label, value, choices, choose }: ChoiceProps<Value>) {
  return (
    <div className="choice" role="group" aria-label={label}>
      {(Object.keys(choices) as Value[]).map((one) => (
        <button key={one} aria-pressed={one === value} onClick={() => choose(one)}>{choices[one]}</button>
      ))}
    </div>
  );
}

/** A second point in both times: what is drawn is what changed from it to the page's own. */
function Compare({ exploration }: { exploration: Exploration }) {
  const [parameters, change] = useParameters();
  const dialog = useRef<HTMLDialogElement>(null);
  const { versus } = exploration;
  const close = (wanted: { vvalid: string | null; vknown: string | null }) => {
    change(wanted);
    dialog.current?.close();
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const local = String(given.get('valid'));
    close({ vvalid: local && new Date(`${local}Z`).toISOString(), vknown: String(given.get('known')) });
  };
  return (
    <>
      <button className="button" data-past={versus ? '' : undefined} onClick={() => dialog.current?.showModal()}>
        {versus ? <>Since <b>{moment(versus)}</b></> : 'Compare'}
      </button>
      <dialog ref={dialog} aria-labelledby="compare-title" onClick={(event) => event.target === dialog.current && dialog.current.close()}>
        <form onSubmit={submit} key={JSON.stringify(versus)}>
          <h2 id="compare-title">What changed since</h2>
          <p className="dim">Compared with what the page shows now: added, removed and changed are marked.</p>
          <label>
            What was true at (UTC)
            <input type="datetime-local" name="valid" step={1} defaultValue={parameters.get('vvalid')?.slice(0, 19)} />
          </label>
          <label>
            What the log held at size
            <input type="number" name="known" min={1} defaultValue={parameters.get('vknown') ?? ''} />
          </label>
          <div className="acts">
            <button type="button" className="button" onClick={() => close({ vvalid: null, vknown: null })}>Stop comparing</button>
            <button className="button strong">Compare</button>
          </div>
        </form>
      </dialog>
    </>
  );
}

function moment(at: AsOf): string {
  return [at.valid && `${day(at.valid)} UTC`, at.known && `log ${at.known.toLocaleString('en')}`].filter(Boolean).join(', ');
}

function Export({ exploration, found, arrangement, name }: Pick<Props, 'exploration' | 'found' | 'arrangement'> & { name: string }) {
  const menu = useRef<HTMLDetailsElement>(null);
  const { view, root, read } = found;
  const save = async (form: 'svg' | 'png') => {
    if (!view || !root || !arrangement || !read) return;
    const { toSvg, toPng, download } = await import('./picture');
    const at = exploration.at?.valid ? `as of ${exploration.at.valid}` : 'latest';
    const since = exploration.versus ? `, changes since ${moment(exploration.versus)}` : '';
    const stamp = `Lineage of ${name}, ${exploration.grain.toLowerCase()} grain, ${at}${since} · log ${read.size}, root ${read.root}`;
    const svg = toSvg({ view, root }, arrangement, stamp);
    const content = form === 'svg' ? new Blob([svg], { type: 'image/svg+xml' }) : await toPng(svg);
    download(content, `lineage-${read.size}.${form}`);
    if (menu.current) menu.current.open = false;
  };
  return (
    <details className="menu" ref={menu}>
      <summary className="button">Export</summary>
      <div>
        <button className="button" disabled={!arrangement} onClick={() => void save('svg')}>SVG</button>
        <button className="button" disabled={!arrangement} onClick={() => void save('png')}>PNG</button>
      </div>
    </details>
  );
}
