import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ask } from '../ask';
import { ActsOnDocument, type ApprovalSaysFragment, type AttestationSaysFragment, type WaiverSaysFragment } from '../gql/graphql';
import { useKey } from '../shell/session';
import { Failed, Loading } from '../states';
import { day, legible } from '../words';
import { Approve, Countersign, Revoke, type Subject } from './acts';
import { Attest } from './attesting';
import type { Now } from './now';
import { strictObject } from './strict';
import { useViewer } from '../shell/viewer';
import { brief } from './words';

/** What people did about a version, as it stands now, and what can be done next. */
export function People({ subject, now }: { subject: Subject; now: Now | undefined }) {
  const held = useKey();
  const acts = useQuery({ queryKey: ['acts on', subject.version.id, held], queryFn: ({ signal }) => ask(ActsOnDocument, { id: subject.version.id }, signal) });
  if (acts.isPending) return <Loading what="Loading what people did" />;
  if (!acts.data) return <Failed error={acts.error} again={() => void acts.refetch()} />;
  const found = acts.data.node;
  if (!found || !('approvals' in found)) return <p className="dim">Only versions of models are approved.</p>;
  const model = found.model;
  const statements = [...found.attestations, ...(model?.attestations ?? [])];
  return (
    <>
      <div className="acts lead">
        <Approve subject={subject} />
        <Attest about={model ? [subject.version, model] : [subject.version]} button="Attest" />
      </div>
      <ActTable title="Approvals" none="Nobody has approved it." rows={found.approvals} row={(act) => <ApprovalRow key={act.id} act={act} subject={subject} now={now} />} />
      <ActTable title="Waivers" none="No control is waived for it." rows={found.waivers} row={(act) => <WaiverRow key={act.id} act={act} subject={subject} />} />
      <ActTable title="Statements" none="Nobody stated anything about it or its model." rows={statements} row={(act) => <StatementRow key={act.id} act={act} />} />
    </>
  );
}

function ActTable<T>({ title, none, rows, row }: { title: string; none: string; rows: readonly T[]; row: (act: T) => ReactNode }) {
  return (
    <div className="acts-of">
      <h3>{title}</h3>
      {rows.length === 0 ? <p className="dim">{none}</p> : <ul>{rows.toReversed().map(row)}</ul>}
    </div>
  );
}

function ActRow({ act, what, more, children }: { act: ApprovalSaysFragment | WaiverSaysFragment | AttestationSaysFragment; what: ReactNode; more?: ReactNode; children?: ReactNode }) {
  const isOver = act.state === 'REVOKED' || act.state === 'EXPIRED';
  return (
    <li data-over={isOver || undefined}>
      <p>
        <b className="badge" data-tone={isOver ? 'quiet' : act.state === 'PROPOSED' ? 'wait' : 'good'}>{act.state.toLowerCase()}</b> <bdi>{brief(legible(act.by), 60)}</bdi> <span className="dim">{what}</span>
      </p>
      <p className="dim">
        {day(act.at)} UTC{act.until && `, until ${day(act.until)}`}{act.entry && ` · entry ${act.entry.seq}`}{act.revokedBy && <> · revoked by <bdi>{legible(act.revokedBy)}</bdi></>}
      </p>
      {more}
      {!isOver && <div className="acts">{children}</div>}
    </li>
  );
}

function ApprovalRow({ act, subject, now }: { act: ApprovalSaysFragment; subject: Subject; now: Now | undefined }) {
  const viewer = useViewer();
  const changed = now?.closure && now.closure !== act.closureDigest;
  const isMine = viewer?.person === act.by && act.environment === subject.environment;
  return (
    <ActRow
      act={act}
      what={<>for <bdi>{legible(act.environment)}</bdi>{act.use && `, to ${legible(act.use)}`}{act.role && ` as ${legible(act.role)}`}</>}
      more={
        <>
          {act.conditions.map((each) => <p key={each}>if {legible(each)}</p>)}
          {act.reason && <p className="dim">“{legible(act.reason)}”</p>}
          {changed && act.state === 'STANDING' && <p><b className="tag gap">given to another closure</b> {now.approvals.get(act.id)?.map(legible).join('; ')}</p>}
        </>
      }
    >
      {changed && isMine && <Approve subject={subject} renews={act} />}
      <Revoke kind="Approval" act={act} what={`the approval for ${legible(act.environment)}`} />
    </ActRow>
  );
}

function WaiverRow({ act, subject }: { act: WaiverSaysFragment; subject: Subject }) {
  return (
    <ActRow
      act={act}
      what={<>{act.breakGlass && 'broke the glass on '}<bdi>{legible(act.control)}</bdi> of <bdi>{legible(act.pack)}</bdi>{act.environment ? ` in ${legible(act.environment)}` : ' everywhere'}{act.countersignedBy && <>, with <bdi>{legible(act.countersignedBy)}</bdi></>}</>}
      more={<p className="dim">“{legible(act.reason ?? '')}” Instead: {legible(act.compensatingControl)}</p>}
    >
      {act.state === 'PROPOSED' && <Countersign waiver={act} subject={subject} />}
      <Revoke kind="Waiver" act={act} what={`the waiver of ${legible(act.control)}`} />
    </ActRow>
  );
}

function StatementRow({ act }: { act: AttestationSaysFragment }) {
  const told = Object.entries(strictObject(act.statement));
  return (
    <ActRow
      act={act}
      what={<><bdi>{legible(act.type)}</bdi>{act.target?.kind === 'MODEL' && ' of the model'}{act.role && ` as ${legible(act.role)}`}</>}
      more={told.length > 0 && <p className="dim">{told.map(([name, value]) => `${legible(name)}: ${brief(legible(typeof value === 'string' ? value : JSON.stringify(value)), 120)}`).join(' · ')}</p>}
    >
      <Revoke kind="Attestation" act={act} what={`the statement ${legible(act.type)}`} />
    </ActRow>
  );
}
