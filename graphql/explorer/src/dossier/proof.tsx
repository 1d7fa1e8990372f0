import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { download } from '../download';
import type { DossierDecisionsQuery } from '../gql/graphql';
import { Failed, Loading } from '../states';
import { GateAnswer } from '../verdicts/badge';
import { day, legible, plural } from '../words';
import { counted, type Evidence } from './evidence';
import type { Version } from './page';
import { Digest, Line } from './said';
import type { Report } from './verdicts';

const SURE = [['VERIFIED', 'verified'], ['ATTESTED', 'attested by people'], ['REPORTED', 'reported by producers'], ['SELF_DECLARED', 'not used: the sender may not say it']] as const;

/** What all of the page was computed from, to take along; and what the gate decided on this version. */
export function Proof({ version, report, evidence, decisions }: { version: Version; report: Report; evidence: Evidence; decisions: UseQueryResult<DossierDecisionsQuery> }) {
  const counts = counted((evidence.facts ?? []).map(({ assurance }) => assurance));
  const { snapshot } = report;
  return (
    <>
      <dl className="facts">
        <Line name="Evidence"><Digest of={report.evidenceDigest} /> <span className="source">SHA-256 of the document (RFC 8785)</span></Line>
        <Line name="Closure">{evidence.subject.closureDigest && <><Digest of={evidence.subject.closureDigest} /> <span className="source">what approvals are given to</span></>}</Line>
        <Line name="Log">{snapshot.logSize.toLocaleString('en')} entries, of which {snapshot.known.toLocaleString('en')} are known here <br /><span className="source">root <code>{snapshot.root}</code></span></Line>
        <Line name="Judged">{day(report.evaluatedAt)} UTC, for <bdi>{legible(report.requester)}</bdi>{report.nextFlipAt && <span className="source">time alone changes a verdict on {day(report.nextFlipAt)} UTC</span>}</Line>
        <Line name="Facts of governance">{counts.size > 0 ? SURE.filter(([one]) => counts.has(one)).map(([one, words]) => `${counts.get(one)} ${words}`).join(', ') : 'none'}</Line>
      </dl>
      <div className="acts">
        <button className="button" onClick={() => download(new Blob([report.evidence], { type: 'application/json' }), `evidence-${fileName(version)}.json`)}>Download the evidence</button>
      </div>
      <h3>Decisions of the gate</h3>
      {decisions.isPending ? <Loading what="Loading decisions" /> : decisions.isError ? <Failed error={decisions.error} again={() => void decisions.refetch()} /> : <Decisions of={decisions.data.decisions} />}
    </>
  );
}

function Decisions({ of }: { of: DossierDecisionsQuery['decisions'] }) {
  const [parameters] = useParameters();
  if (of.nodes.length === 0) return <p className="dim">The gate was never asked about this version.</p>;
  return (
    <>
      <table>
        <thead><tr><th scope="col">Answer</th><th scope="col" className="when">When (UTC)</th><th scope="col" className="who">Asked by</th><th scope="col">Why</th></tr></thead>
        <tbody>
          {of.nodes.map((one) => (
            <tr key={one.id}>
              <th scope="row"><Link href={linkTo(`/decisions/${one.id}`, parameters)}><GateAnswer of={one.state} where={legible(one.environment)} /></Link>{one.isRollback && <b className="tag">rollback</b>}</th>
              <td>{day(one.at)}</td>
              <td><bdi>{legible(one.requester)}</bdi></td>
              <td>{legible(one.reasons[0] ?? '')}{one.reasons.length > 1 && <span className="dim"> and {one.reasons.length - 1} more</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {of.totalCount > of.nodes.length && <p className="dim">The latest {of.nodes.length} of {plural(of.totalCount, 'decision')}.</p>}
    </>
  );
}

function fileName(version: Version): string {
  return `${version.name}-${version.version}`.replaceAll(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80);
}
