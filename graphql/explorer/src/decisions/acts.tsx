import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ask } from '../ask';
import {
  ApproveDocument,
  type ApprovalSaysFragment,
  type AttestationSaysFragment,
  type ControlSaysFragment,
  type JudgedFragment,
  RevokeApprovalDocument,
  RevokeAttestationDocument,
  RevokeWaiverDocument,
  WaiveDocument,
  type WaiverSaysFragment,
} from '../gql/graphql';
import { legible } from '../words';
import { Acting, ahead, type Answered, type Bound, Dialog, type Entered, type Fact, instant, lines, text } from './dialog';
import { useNow } from './now';
import { useViewer } from '../shell/viewer';
import { brief, second, wholeName } from './words';

type Act = ApprovalSaysFragment | WaiverSaysFragment | AttestationSaysFragment;

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** The version that acts are about, for one environment. */
export interface Subject {
  version: JudgedFragment;
  environment: string;
}

export function facts({ version }: Pick<Subject, 'version'>): Fact[] {
  return [
    ['version', <bdi key="v">{wholeName(version)}</bdi>],
    ['in', <bdi key="n">{legible(version.namespace ?? '')}</bdi>],
  ];
}

/** What stands now, and where the log has it: the act itself first, then what answered it last. */
export function answered(what: string, act: Act, more: readonly Fact[] = []): Answered {
  const last = act.answers.at(-1);
  const entries: Entered[] = [];
  if (last?.entry) entries.push({ id: last.id, ...last.entry });
  else if (act.entry) entries.push({ id: act.id, ...act.entry });
  return {
    headline: `${act.state}: the ${what} is in the log`,
    facts: [[what, <code key="id">{act.id}</code>], ['by', <bdi key="by">{legible(act.by)}</bdi>], ['until', act.until ? `${second(act.until)} UTC` : 'no end'], ...more],
    entries,
  };
}

function Digest({ of, hidden, none }: { of: string | undefined; hidden: string | undefined; none: string }) {
  if (of) return <code>{of}</code>;
  return <span className="dim">{hidden ?? none}</span>;
}

// Approve -----------------------------------------------------------------------------------------------------------

export function Approve({ subject, renews }: { subject: Subject; renews?: ApprovalSaysFragment }) {
  return (
    <Dialog button={renews ? 'Reaffirm' : 'Approve'} name={renews ? `Reaffirm the approval of ${renews.by}` : undefined!} title={renews ? 'Reaffirm an approval' : 'Approve this version'}>
      {(close) => <Approving subject={subject} renews={renews} close={close} />}
    </Dialog>
  );
}

function Approving({ subject, renews, close }: { subject: Subject; renews: ApprovalSaysFragment | undefined; close: () => void }) {
  const viewer = useViewer();
  const queries = useQueryClient();
  const { now, hidden, isPending } = useNow(subject.version.id, subject.environment);
  const bind = (given: FormData): Bound | string => {
    if (isPending) return 'What the version is made of is still being asked. Try again in a moment.';
    if (renews && !now) return 'Who reaffirms has to see what changed: sign in with a key that may also policy:evaluate.';
    const [use, role, reason] = ['use', 'role', 'reason'].map((name) => text(given, name));
    const conditions = lines(given, 'conditions');
    const validUntil = instant(given, 'validUntil');
    return {
      facts: [
        ...facts(subject),
        ['version digest', <Digest key="a" of={now?.artifact} hidden={hidden} none="nobody reported the digest of its artifact" />],
        ['closure digest', <Digest key="c" of={now?.closure} hidden={hidden} none="nothing is known of what it is made of" />],
        ['environment', legible(subject.environment)],
        ['use', use ?? 'every use'],
        ...conditions.map((each) => ['condition', each] as const),
        ['valid until', validUntil ? `${second(validUntil)} UTC` : 'no end'],
        ...(role ? [['in the role', legible(role)] as const] : []),
        ...(reason ? [['reason', reason] as const] : []),
        ...(renews ? changes(now?.approvals.get(renews.id)) : []),
      ],
      verb: renews ? 'Reaffirm' : 'Approve',
      run: async () => {
        const input = {
          target: { id: subject.version.id },
          environment: subject.environment,
          use: use ?? null,
          role: role ?? null,
          conditions,
          validUntil: validUntil ?? null,
          reason: reason ?? null,
          expects: now?.closure ?? null,
          reaffirms: renews?.id ?? null,
        };
        const { approve } = await ask(ApproveDocument, { input });
        return answered('approval', approve, [['made of', <code key="c">{approve.closureDigest}</code>]]);
      },
    };
  };
  return (
    <Acting bind={bind} close={close} after={() => void queries.invalidateQueries()}>
      <p className="dim">You approve the version as it is now, for <b>{legible(subject.environment)}</b>. If what it is made of changes, the approval no longer counts.</p>
      <label>Use <span className="dim">left empty: every use</span><input name="use" maxLength={4000} defaultValue={renews?.use ?? ''} /></label>
      <label>Conditions <span className="dim">one a line</span><textarea name="conditions" rows={2} defaultValue={renews?.conditions.join('\n')} /></label>
      <label>Valid until (UTC) <span className="dim">left empty: no end</span><input type="datetime-local" name="validUntil" min={ahead(0)} /></label>
      {viewer && viewer.roles.length > 0 && (
        <label>In the role<select name="role"><option value="">none</option>{viewer.roles.map((role) => <option key={role} value={role}>{legible(role)}</option>)}</select></label>
      )}
      <label>Reason <span className="dim">if there is something to say</span><input name="reason" maxLength={4000} /></label>
    </Acting>
  );
}

function changes(changed: readonly string[] | undefined): Fact[] {
  return (changed?.length ? changed : ['nothing has changed']).map((each) => ['since then', legible(each)] as const);
}

// Waive -------------------------------------------------------------------------------------------------------------

export function Waive({ subject, control, names }: { subject: Subject; control: ControlSaysFragment; names: ReadonlyMap<string, string> }) {
  return (
    <Dialog button="Waive" name={`Waive ${control.control}`} title={`Waive ${legible(control.control)} for a time`}>
      {(close) => <Waiving subject={subject} control={control} names={names} close={close} />}
    </Dialog>
  );
}

interface WaivingProps {
  subject: Subject;
  control: ControlSaysFragment;
  names: ReadonlyMap<string, string>;
  close: () => void;
}

function Waiving({ subject, control, names, close }: WaivingProps) {
  const queries = useQueryClient();
  const [isAlone, setAlone] = useState(false);
  const { now, hidden } = useNow(subject.version.id, subject.environment);
  const { days, breakGlassHours } = control.waiverTerms!;
  const most = isAlone ? breakGlassHours * HOUR : days * DAY;
  const longest = isAlone ? `${breakGlassHours} hours, by one person alone` : `${days} days, for a control of ${control.severity.toLowerCase()} severity`;
  const keys = [...new Set(control.checks.filter(({ verdict }) => ['FAIL', 'UNKNOWN'].includes(verdict)).map(({ key }) => key).filter((key) => typeof key === 'string'))];
  const bind = (given: FormData): Bound | string => {
    const [reason, instead, expiresAt] = [text(given, 'reason'), text(given, 'instead'), instant(given, 'expiresAt')];
    if (!reason || !instead || !expiresAt) return 'A waiver has a reason, something that is done instead, and an end.';
    const items = given.getAll('item').map(String);
    const environment = given.get('everywhere') ? null : subject.environment;
    return {
      facts: [
        ...facts(subject),
        ['closure digest', <Digest key="c" of={now?.closure} hidden={hidden} none="nothing is known of what it is made of" />],
        ['control', <bdi key="k">{legible(`${control.control} of ${control.pack}`)}</bdi>],
        ['says', legible(control.plain)],
        ['items', items.length === 0 ? 'the whole control' : items.map((key) => legible(names.get(key) ?? key)).join(', ')],
        ['environment', environment === null ? 'every environment' : legible(environment)],
        ['reason', reason],
        ['done instead', instead],
        ['until', `${second(expiresAt)} UTC`],
        ['at most', longest],
        ['counts', isAlone ? 'at once: you alone break the glass, and it stays listed' : 'once a second person has countersigned it'],
      ],
      verb: isAlone ? 'Break the glass' : 'Propose the waiver',
      run: async () => {
        const { waive } = await ask(WaiveDocument, {
          input: {
            target: { id: subject.version.id },
            pack: control.pack,
            control: control.control,
            reason,
            compensatingControl: instead,
            expiresAt,
            environment,
            items,
            breakGlass: isAlone,
          },
        });
        return answered('waiver', waive, waive.state === 'PROPOSED' ? [['next', 'a second person has to countersign it: it is listed under “People”']] : []);
      },
    };
  };
  return (
    <Acting bind={bind} close={close} after={() => void queries.invalidateQueries()}>
      <p>{legible(control.plain)}</p>
      <label>Why it cannot hold now<textarea name="reason" rows={2} required maxLength={4000} /></label>
      <label>What is done instead<textarea name="instead" rows={2} required maxLength={4000} /></label>
      <label>
        Until (UTC) <span className="dim">at most {longest}</span>
        <input type="datetime-local" name="expiresAt" required min={ahead(60_000)} max={ahead(most)} />
      </label>
      {keys.length > 0 && (
        <fieldset>
          <legend>Only these items <span className="dim">none: the whole control</span></legend>
          {keys.map((key) => <label key={key} className="check"><input type="checkbox" name="item" value={key} /><bdi>{brief(legible(names.get(key) ?? key))}</bdi></label>)}
        </fieldset>
      )}
      <label className="check"><input type="checkbox" name="everywhere" />In every environment, not only in {legible(subject.environment)}</label>
      <label className="check"><input type="checkbox" checked={isAlone} onChange={(event) => setAlone(event.target.checked)} />Break the glass: alone, for at most {breakGlassHours} hours, and always listed</label>
    </Acting>
  );
}

export function Countersign({ waiver, subject }: { waiver: WaiverSaysFragment; subject: Subject }) {
  return (
    <Dialog button="Countersign" name={`Countersign the waiver of ${waiver.control}`} title="Countersign a waiver">
      {(close) => <Countersigning waiver={waiver} subject={subject} close={close} />}
    </Dialog>
  );
}

function Countersigning({ waiver, subject, close }: { waiver: WaiverSaysFragment; subject: Subject; close: () => void }) {
  const queries = useQueryClient();
  const bound: Bound = {
    facts: [
      ['waiver', <code key="id">{waiver.id}</code>],
      ...facts(subject),
      ...said(waiver),
      ['asked by', <bdi key="by">{legible(waiver.by)}</bdi>],
    ],
    verb: 'Countersign',
    run: async () => {
      const { waive } = await ask(WaiveDocument, { input: { waiver: waiver.id } });
      return answered('waiver', waive, [['countersigned by', <bdi key="s">{legible(waive.countersignedBy ?? 'nobody')}</bdi>]]);
    },
  };
  return (
    <Acting bind={() => bound} close={close} after={() => void queries.invalidateQueries()}>
      <p><bdi>{legible(waiver.by)}</bdi> wants to let <bdi>{legible(waiver.control)}</bdi> of <bdi>{legible(waiver.pack)}</bdi> pass. It counts once you agree.</p>
    </Acting>
  );
}

export function said(waiver: WaiverSaysFragment): Fact[] {
  return [
    ['control', <bdi key="k">{legible(`${waiver.control} of ${waiver.pack}`)}</bdi>],
    ['items', waiver.items.length === 0 ? 'the whole control' : waiver.items.map(legible).join(', ')],
    ['environment', waiver.environment ? legible(waiver.environment) : 'every environment'],
    ['reason', legible(waiver.reason ?? '')],
    ['done instead', legible(waiver.compensatingControl)],
    ['until', waiver.until ? `${second(waiver.until)} UTC` : 'no end'],
  ];
}

// Revoke ------------------------------------------------------------------------------------------------------------

const REVOKES = {
  Approval: async (id: string, reason: string) => answered('approval', (await ask(RevokeApprovalDocument, { input: { id, reason } })).revokeApproval),
  Waiver: async (id: string, reason: string) => answered('waiver', (await ask(RevokeWaiverDocument, { input: { id, reason } })).revokeWaiver),
  Attestation: async (id: string, reason: string) => answered('statement', (await ask(RevokeAttestationDocument, { input: { id, reason } })).revokeAttestation),
};

export function Revoke({ kind, act, what }: { kind: keyof typeof REVOKES; act: Act; what: string }) {
  return (
    <Dialog button="Revoke" name={`Revoke ${what}, by ${act.by}`} title={`Revoke the ${kind === 'Attestation' ? 'statement' : kind.toLowerCase()}`}>
      {(close) => <Revoking kind={kind} act={act} what={what} close={close} />}
    </Dialog>
  );
}

function Revoking({ kind, act, what, close }: { kind: keyof typeof REVOKES; act: Act; what: string; close: () => void }) {
  const queries = useQueryClient();
  const bind = (given: FormData): Bound | string => {
    const reason = text(given, 'reason');
    if (!reason) return 'Say why it is revoked.';
    return {
      facts: [['ends', <code key="id">{act.id}</code>], ['that is', what], ['by', <bdi key="by">{legible(act.by)}</bdi>], ['reason', reason]],
      verb: 'Revoke it',
      run: () => REVOKES[kind](act.id, reason),
    };
  };
  return (
    <Acting bind={bind} close={close} after={() => void queries.invalidateQueries()}>
      <p>{what}, by <bdi>{legible(act.by)}</bdi>. It stays in the log, and no longer counts.</p>
      <label>Why<textarea name="reason" rows={2} required maxLength={4000} /></label>
    </Acting>
  );
}
