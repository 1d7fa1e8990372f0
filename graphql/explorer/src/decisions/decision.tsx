import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { Link, useParams } from 'wouter';
import { linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { DecisionDocument, type DecisionQuery } from '../gql/graphql';
import { Empty, Failed, Loading } from '../states';
import { day, legible, plural } from '../words';
import type { Subject } from './acts';
import { AskTheGate } from './asking';
import { Controls } from './controls';
import { Facts, Receipt } from './dialog';
import { Evidence, itemNames } from './evidence';
import { type Now, useNow } from './now';
import { People } from './people';
import { Proof, useVerified, Verdict, verdictOf } from './proof';
import { saveText } from './saving';
import { isObject, type JsonObject, list, part, said } from './strict';
import { useViewer } from '../shell/viewer';
import { OpenMode } from './open';
import { brief, named, second, STATES, tone, versionOf, wholeName } from './words';
import { useKey } from '../shell/session';
import './decisions.css';

type Decision = NonNullable<DecisionQuery['decision']>;

export default function DecisionPage() {
  const { id } = useParams<{ id: string }>();
  const held = useKey();
  const found = useQuery({ queryKey: ['decision', id, held], queryFn: ({ signal }) => ask(DecisionDocument, { id }, signal), staleTime: Infinity });
  const decision = found.data?.decision;
  useEffect(() => {
    document.title = decision ? `${decision.state} ${named(decision.target)} · Lineward` : 'Decision · Lineward';
  }, [decision]);
  if (found.isPending) return <Loading what="Loading the decision" />;
  if (!found.data) return <Failed error={found.error} again={() => void found.refetch()} />;
  if (!decision) return <Unknown />;
  return <Told decision={decision} />;
}

function Unknown() {
  const [parameters] = useParameters();
  return (
    <Empty headline="There is no decision with this id">
      <p>It may be another log's, or hidden from you. <Link href={linkTo('/decisions', parameters)}>All decisions</Link></p>
    </Empty>
  );
}

function Told({ decision }: { decision: Decision }) {
  const [parameters] = useParameters();
  const viewer = useViewer();
  const found = useVerified(decision.bundle);
  const body = useMemo(() => bodyOf(decision.bundle), [decision.bundle]);
  const evidence = part(body['evidence']);
  const names = useMemo(() => itemNames(evidence), [evidence]);
  const texts = useMemo(() => citedTexts(body), [body]);
  const target = decision.target;
  const isVersion = target?.kind === 'MODEL_VERSION';
  const subject: Subject | undefined = isVersion ? { version: target, environment: decision.environment } : undefined;
  const { now, hidden } = useNow(subject?.version.id, decision.environment);
  const frozen = part(evidence['subject']);
  const hasGrown = now?.closure !== undefined && said(frozen['closureDigest']) !== '' && now.closure !== said(frozen['closureDigest']);
  return (
    <div className="page decision">
      <p className="back"><Link href={linkTo('/decisions', parameters)}>Decisions</Link></p>
      <div className="verdict-head" data-tone={found.verified && verdictOf(found.verified).tone === 'bad' ? 'bad' : tone(decision.state)}>
        <p className="state-word">{decision.state}</p>
        <div>
          <h1 title={target ? brief(wholeName(target), 400) : undefined}>
            {target ? <Link href={linkTo('/lineage', parameters, { of: target.id })}><bdi>{named(target)}</bdi> <bdi>{versionOf(target)}</bdi></Link> : 'An unknown target'} <span className="dim">into <bdi>{brief(legible(decision.environment), 60)}</bdi></span>
          </h1>
          <p>{STATES[decision.state]}{decision.isRollback && ' One person went back to what was allowed before.'}</p>
        </div>
        {found.verified && <Verdict of={found.verified} />}
      </div>
      {decision.reasons.length > 0 && <ul className="reasons">{decision.reasons.map((reason, index) => <li key={index}><bdi>{legible(reason)}</bdi></li>)}</ul>}
      <p className="dim byline">
        Asked by <bdi>{brief(legible(decision.requester), 80)}</bdi> · decided {second(decision.at)} UTC{decision.entry && ` · entry ${decision.entry.seq} of the log`}
        {decision.expiresAt && ` · lapses ${day(decision.expiresAt)} UTC unless deployed`}
        {decision.nextFlipAt && ` · time alone changes it on ${day(decision.nextFlipAt)} UTC`}
      </p>
      <OpenMode viewer={viewer} />
      {subject && (
        <section className="now" aria-label="If you ask now">
          <h2>If you ask now</h2>
          {now ? (
            <p>
              <b className="badge" data-tone={tone(now.state)}>{now.state}</b> {isSame(now, decision) ? 'still, for the same reasons.' : now.reasons.length > 0 ? legible(now.reasons.join(' ')) : STATES[now.state]}{' '}
              <span className="dim">As asked by <bdi>{legible(now.requester)}</bdi>, who would count as none of those who approve.</span>
            </p>
          ) : (
            <p className="dim">{hidden ?? 'Asking what holds now…'}</p>
          )}
          {hasGrown && <p><b className="tag gap">another closure</b> What the version is made of is not what was decided on.</p>}
          <AskTheGate of={subject.version} environment={decision.environment} button="Ask again" />
        </section>
      )}
      <Controls controls={decision.controls} subject={subject} names={names} texts={texts} />
      {subject && (
        <section aria-label="People">
          <h2>People</h2>
          <p className="dim">As it stands now; the decision counted what its evidence holds: {plural(list(body['approvals']).length, 'approval')}, {plural(list(body['waivers']).length, 'waiver')}.</p>
          <People subject={subject} now={now} />
        </section>
      )}
      <section aria-label="Proof">
        <h2>Proof</h2>
        <Proof found={found} replays={decision.id} froze={isObject(body['evidence'])} />
      </section>
      <section aria-label="Files">
        <h2>Files</h2>
        <div className="acts lead">
          <button type="button" className="button" onClick={() => saveText(decision.bundle, `${decision.id}.json`)}>Bundle</button>
          {decision.attestation && <button type="button" className="button" onClick={() => saveText(decision.attestation!, `${decision.id}.dsse.json`)}>Attestation</button>}
        </div>
        <p className="dim">The bundle verifies and replays anywhere, without this server: <code>lineward decision verify {decision.id}.json --key KEY</code>, and <code>replay</code>. {decision.attestation ? 'The attestation is the signed summary alone (in-toto, SLSA VSA, DSSE).' : 'There is no attestation: only an ALLOW and a DENY are signed.'}</p>
        {decision.entry && <Receipt of={{ id: decision.id, ...decision.entry }} />}
      </section>
      <section aria-label="Frozen evidence">
        <h2>Frozen evidence</h2>
        <Facts
          of={[
            ['version digest', <Digest key="a" of={said(frozen['digest'])} />],
            ['closure digest', <Digest key="c" of={said(frozen['closureDigest'])} />],
            ['evidence digest', <Digest key="e" of={decision.evidenceDigest ?? ''} />],
            ['log', `${decision.snapshot.logSize.toLocaleString('en')} entries of ${legible(decision.snapshot.origin)}, ${decision.snapshot.known.toLocaleString('en')} known`],
            ['root', <code key="r">{decision.snapshot.root}</code>],
            ['packs', decision.packs.map(legible).join(', ') || 'none'],
            ['bindings', decision.bindings.map(legible).join(', ') || 'none'],
          ]}
        />
        <Evidence of={evidence} />
      </section>
    </div>
  );
}

function isSame(now: Now, decision: Decision): boolean {
  return now.state === decision.state && now.reasons.join('\n') === decision.reasons.join('\n');
}

function Digest({ of }: { of: string }) {
  return of ? <code>{of}</code> : <span className="dim">not known</span>;
}

/** The decision in a bundle; whether it is what was signed, the checks say. */
function bodyOf(bundle: string): JsonObject {
  try {
    return part((JSON.parse(bundle) as JsonObject)['decision']);
  } catch {
    return {};
  }
}

/** Addresses of cited texts in the frozen packs: web addresses alone become links. */
function citedTexts(body: JsonObject): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pack of list(body['packs']).map(part)) {
    for (const control of list(part(pack['document'])['controls']).map(part)) {
      const uri = said(part(control['citation'])['uri']);
      if (/^https?:\/\//.test(uri)) found.set(`${said(pack['name'])}@${said(pack['version'])} ${said(control['id'])}`, uri);
    }
  }
  return found;
}
