import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { ReasonDocument, type ReasonQuery } from '../gql/graphql';
import { Icon } from '../icons';
import { Failed, Loading } from '../states';
import { day, detail, hue, legible, plural, shortVersion, title, word } from '../words';
import { EFFECTS, Mark, VERDICT_WORDS } from './mark';
import type { Asked, Line, Position } from './matrix';
import { WaiverState } from './waivers';

type Row = ReasonQuery['complianceOf'];
type Control = Row['controls'][number];
type Check = Control['checks'][number];

interface Props {
  line: Line;
  control: string;
  asked: Asked;
  position: Position;
  close: () => void;
  open: (control: string) => void;
}

/** Why one control says what it says of one version, and what to do; without a control, all that it fails. */
export function Reason({ line, control, asked, position, close, open }: Props) {
  const [parameters] = useParameters();
  const panel = useRef<HTMLElement>(null);
  const target = line.target?.id;
  const reason = useQuery({
    queryKey: ['reason', asked, position, target],
    enabled: target !== undefined && line.trouble === null,
    staleTime: Infinity,
    queryFn: ({ signal }) => ask(ReasonDocument, { target: { id: target! }, pack: asked.pack, environment: asked.environment, ...position }, signal),
  });
  useEffect(() => {
    panel.current?.scrollTo(0, 0);
  }, [line.key, control]);
  const row = reason.data?.complianceOf;
  const found = row?.controls.find((one) => one.control === control);
  return (
    <aside className="panel" aria-label="Reason" ref={panel} tabIndex={-1} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <button className="close" aria-label="Close" onClick={close}>×</button>
      <p className="eyebrow model"><bdi>{legible(line.model.name)}</bdi> {line.target && <code>{legible(shortVersion(line.target.version))}</code>}</p>
      {line.trouble !== null ? (
        <h2>{line.trouble}</h2>
      ) : reason.isError ? (
        <Failed error={reason.error} again={() => void reason.refetch()} />
      ) : !row ? (
        <Loading what="Asking why" />
      ) : found ? (
        <One control={found} row={row} />
      ) : (
        <All row={row} open={open} />
      )}
      <section>
        <h3>Go on</h3>
        <div className="acts">
          <Link className="button" href={linkTo('/lineage', parameters, { of: target ?? line.model.id })}>Lineage</Link>
          {target && <Link className="button" href={linkTo(`/models/${encodeURIComponent(target)}`, parameters)}>Dossier</Link>}
          {target && <Link className="button" href={linkTo('/decisions', parameters, { of: target })}>Decisions</Link>}
        </div>
      </section>
    </aside>
  );
}

function All({ row, open }: { row: Row; open: (control: string) => void }) {
  const troubled = row.controls.filter(({ verdict }) => verdict !== 'PASS' && verdict !== 'NOT_APPLICABLE');
  return (
    <>
      <h2>{troubled.length === 0 ? 'Nothing stands against it' : `${plural(troubled.length, 'control')} of ${row.controls.length} ${troubled.length === 1 ? 'does' : 'do'} not pass`}</h2>
      <ul className="reasons">
        {troubled.map((one) => (
          <li key={one.control}>
            <button className="link" onClick={() => open(one.control)}><Mark of={one.verdict} enforcement={one.enforcement} /> {one.control}</button> {one.title}
          </li>
        ))}
      </ul>
    </>
  );
}

function One({ control, row }: { control: Control; row: Row }) {
  const troubled = control.checks.filter(({ verdict }) => verdict !== 'PASS' && verdict !== 'NOT_APPLICABLE');
  const settled = control.checks.length - troubled.length;
  const missing = [...new Map(troubled.flatMap((one) => one.missing).map((one) => [one.path, one])).values()];
  const waivers = row.waivers.filter((one) => one.control === control.control);
  const fixes = control.underlying !== 'PASS' && control.underlying !== 'NOT_APPLICABLE';
  return (
    <>
      <h2>{control.title}</h2>
      <p className="says" data-verdict={control.verdict}>
        <Mark of={control.verdict} enforcement={control.enforcement} /> <b>{VERDICT_WORDS[control.verdict]}</b>
        {control.underlying !== control.verdict && ` (${VERDICT_WORDS[control.underlying]} without its waiver)`}
        <span className="dim"> · {control.severity.toLowerCase()}, {EFFECTS[control.enforcement]}</span>
      </p>
      <p>{control.plain}</p>
      {control.note && <p className="dim">{control.note}</p>}
      {troubled.length > 0 && (
        <section>
          <h3>Why</h3>
          <ul className="reasons">
            {troubled.map((one) => <Why key={`${one.check} ${one.key}`} check={one} />)}
          </ul>
          {settled > 0 && <p className="dim">{plural(settled, 'other check')} {settled === 1 ? 'holds' : 'hold'}.</p>}
        </section>
      )}
      {missing.length > 0 && (
        <section>
          <h3>What is not known</h3>
          <ul className="reasons">{missing.map((one) => <li key={one.path}><code>{legible(one.path)}</code> <span className="dim">{legible(one.reason)}</span></li>)}</ul>
        </section>
      )}
      {control.blockedBy.length > 0 && <p className="dim">Gaps keep it from being known: {control.blockedBy.map((kind) => kind.toLowerCase().replaceAll('_', ' ')).join(', ')}.</p>}
      {fixes && control.remediation && (
        <section>
          <h3>What to do</h3>
          <p>{control.remediation}</p>
        </section>
      )}
      {waivers.length > 0 && (
        <section>
          <h3>Waivers</h3>
          <ul className="reasons">
            {waivers.map((one) => (
              <li key={one.id}>
                <WaiverState of={one} /> by <bdi>{legible(one.by)}</bdi>
                {one.countersignedBy && <>, countersigned by <bdi>{legible(one.countersignedBy)}</bdi></>}
                {one.reason && <p><bdi>{legible(one.reason)}</bdi></p>}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <dl>
          <dt>Control</dt><dd><code>{control.pack}/{control.control}</code></dd>
          <dt>Says so</dt><dd>{control.citation}</dd>
          <dt>Rests on</dt><dd>{control.assurance === 'attested' ? 'a person’s word' : control.assurance === 'mixed' ? 'recorded facts and a person’s word' : 'recorded facts'}</dd>
          {control.nextFlipAt && <><dt>Time alone changes it</dt><dd>{day(control.nextFlipAt)} UTC</dd></>}
        </dl>
      </section>
    </>
  );
}

function Why({ check }: { check: Check }) {
  const [parameters] = useParameters();
  const { witness } = check;
  return (
    <li data-verdict={check.verdict}>
      <bdi>{legible(check.message || check.check)}</bdi>
      {check.key && !witness?.nodes.some(({ id }) => id === check.key) && <p className="dim"><bdi>{legible(check.key)}</bdi></p>}
      {witness && witness.nodes.length > 0 && (
        <ol className="witness" aria-label="The way through the graph that proves it">
          {witness.nodes.map((node) => (
            <li key={node.id}>
              <Icon of={hue(node.kind)} />
              <span>
                <Link href={linkTo('/lineage', parameters, { of: node.id })}><bdi>{title(node)}</bdi></Link> <span className="dim">{word(node.kind)} <bdi>{detail(node)}</bdi></span>
              </span>
            </li>
          ))}
        </ol>
      )}
      {witness && witness.events.length > 0 && <p className="dim">Said by {witness.events.map((event) => `entry ${event.seq.toLocaleString('en')} (${event.actor}, ${day(event.at)})`).join(', ')}</p>}
    </li>
  );
}
