import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import type { ControlSaysFragment, JudgedFragment } from '../gql/graphql';
import { Icon } from '../icons';
import { day, hue, legible, plural, word } from '../words';
import { Approve, type Subject, Waive } from './acts';
import { Attest } from './attesting';
import { brief, named, tone, verdictWord, versionOf, wholeName } from './words';

type Check = ControlSaysFragment['checks'][number];

const STOPS = new Set(['ERROR', 'FAIL', 'UNKNOWN']);
const FEW = 12; // items that are shown before the rest is asked for

interface Props {
  controls: readonly ControlSaysFragment[];
  subject: Subject | undefined;
  /** What items are called, by their keys. */
  names: ReadonlyMap<string, string>;
  /** Addresses of cited texts, by pack and control. */
  texts: ReadonlyMap<string, string>;
}

/** Each control with what it said: those that stop the release first and open, then what it only advises. */
export function Controls(props: Props) {
  const { controls } = props;
  const wrong = controls.filter(({ verdict }) => STOPS.has(verdict));
  const groups: [string, readonly ControlSaysFragment[], string][] = [
    ['What stands against it', wrong.filter(({ enforcement }) => enforcement === 'BLOCK'), 'Nothing.'],
    ['What is only advised', wrong.filter(({ enforcement }) => enforcement !== 'BLOCK'), ''],
    ['Waived', controls.filter(({ verdict }) => verdict === 'WAIVED'), ''],
    ['Met', controls.filter(({ verdict }) => verdict === 'PASS'), ''],
    ['Does not apply', controls.filter(({ verdict }) => verdict === 'NOT_APPLICABLE'), ''],
  ];
  return groups.map(([title, listed, none], index) =>
    listed.length === 0 && !none ? null : (
      <section key={title} className="controls" aria-label={title}>
        <h2>{title} <span className="dim">{listed.length > 0 && listed.length}</span></h2>
        {listed.length === 0 ? <p className="dim">{none}</p> : listed.map((control, at) => <Control key={`${control.pack} ${control.control} ${at}`} {...props} control={control} isOpen={index === 0 && listed.length <= FEW} />)}
      </section>
    ),
  );
}

function Control({ control, isOpen, subject, names, texts }: Props & { control: ControlSaysFragment; isOpen: boolean }) {
  const isWrong = STOPS.has(control.verdict);
  const uri = texts.get(`${control.pack} ${control.control}`);
  const shown = isWrong ? control.checks.filter(({ verdict }) => STOPS.has(verdict)) : control.checks;
  return (
    <details className="control" open={isOpen}>
      <summary>
        <b className="badge" data-tone={tone(control.verdict)}>{verdictWord(control.verdict)}</b>
        <span className="id">{legible(control.control)}</span>
        <span className="name"><bdi>{legible(control.title)}</bdi></span>
        <span className="dim cite"><bdi>{brief(legible(control.citation), 60)}</bdi></span>
      </summary>
      <div className="inside">
        <p className="plain">{legible(control.plain)}</p>
        <p className="dim">
          <bdi>{legible(control.pack)}</bdi>, {uri ? <a href={uri} rel="noreferrer noopener" target="_blank">{legible(control.citation)}</a> : legible(control.citation)} · {control.severity.toLowerCase()} severity · {control.assurance} · {ENFORCES[control.enforcement]}
          {control.underlying !== control.verdict && ` · ${verdictWord(control.underlying)} without its waiver`}
          {control.nextFlipAt && ` · time alone changes it on ${day(control.nextFlipAt)} UTC`}
        </p>
        {control.note && <p className="dim">{legible(control.note)}</p>}
        {control.blockedBy.length > 0 && <p><b className="tag gap">gaps</b> {control.blockedBy.map((one) => one.toLowerCase().replaceAll('_', ' ')).join(', ')}</p>}
        {shown.length > 0 && <ul className="checks">{shown.slice(0, FEW).map((check, index) => <Item key={`${check.check} ${check.key} ${index}`} check={check} names={names} />)}</ul>}
        {shown.length > FEW && (
          <details>
            <summary>{plural(shown.length - FEW, 'more item')}</summary>
            <ul className="checks">{shown.slice(FEW).map((check, index) => <Item key={`${check.check} ${check.key} ${index}`} check={check} names={names} />)}</ul>
          </details>
        )}
        {isWrong && (
          <div className="remedy">
            {control.remediation && <p><b>What helps</b> <Prose of={control.remediation} /></p>}
            {subject && (
              <div className="acts">
                {control.awaitsApproval && <Approve subject={subject} />}
                {!control.awaitsApproval && control.assurance !== 'automatic' && <Attest about={[subject.version, ...nodesOf(control)]} />}
                {control.waiverTerms ? (
                  control.verdict !== 'ERROR' && <Waive subject={subject} control={control} names={names} />
                ) : (
                  <span className="dim">Never waived.</span>
                )}
              </div>
            )}
          </div>
        )}
      </div>
    </details>
  );
}

/** A pack's sentence: what it has between backticks is to be typed. */
function Prose({ of }: { of: string }) {
  return legible(of).split('`').map((piece, index) => (index % 2 ? <code key={index}>{piece}</code> : piece));
}

const ENFORCES: Record<ControlSaysFragment['enforcement'], string> = { BLOCK: 'blocks a release', WARN: 'warns', ADVISE: 'advises' };
const STATABLE = new Set(['MODEL', 'MODEL_VERSION', 'DATASET', 'DATASET_VERSION', 'RUN', 'DEPLOYMENT']);

/** What the witnesses of a control pass, once each: statements may be about these. */
function nodesOf(control: ControlSaysFragment): JudgedFragment[] {
  const found = control.checks.flatMap(({ witness }) => witness?.nodes ?? []).filter(({ kind }) => STATABLE.has(kind));
  return [...new Map(found.map((node) => [node.id, node])).values()].slice(0, 50);
}

function Item({ check, names }: { check: Check; names: ReadonlyMap<string, string> }) {
  const [parameters] = useParameters();
  const nodes = check.witness?.nodes ?? [];
  return (
    <li data-tone={tone(check.verdict)}>
      <p>
        <b className="verdict">{verdictWord(check.verdict)}</b> {typeof check.key === 'string' && <><b><bdi title={brief(legible(names.get(check.key) ?? check.key), 400)}>{brief(legible(names.get(check.key) ?? check.key))}</bdi></b>: </>}
        {legible(check.message) || verdictWord(check.verdict)}
        {check.underlying && check.underlying !== check.verdict && <span className="dim"> ({verdictWord(check.underlying)} without its waiver)</span>}
      </p>
      {check.missing.map(({ path, reason }) => <p key={path} className="dim"><code>{legible(path)}</code> {legible(reason)}</p>)}
      {nodes.length > 0 && (
        <p className="witness" aria-label="What proves it">
          {nodes.map((node, index) => (
            <span key={`${node.id} ${index}`}>
              {index > 0 && <span className="dim" aria-label="leads to"> → </span>}
              <Link href={linkTo('/lineage', parameters, { of: node.id })} title={`${word(node.kind)} ${brief(wholeName(node), 400)}`}><Icon of={hue(node.kind)} /><bdi>{named(node)}</bdi> {versionOf(node)}</Link>
            </span>
          ))}
        </p>
      )}
    </li>
  );
}
