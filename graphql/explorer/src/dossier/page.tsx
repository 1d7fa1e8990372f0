import { type ReactNode, useEffect } from 'react';
import { Link, Redirect, useLocation, useParams } from 'wouter';
import { linkTo, useParameters } from '../address';
import type { DossierQuery } from '../gql/graphql';
import { Empty, Failed, Loading, Note } from '../states';
import { GateAnswer, VERDICTS, VerdictBadge } from '../verdicts/badge';
import { day, legible, plural, remark, shortVersion, title, word } from '../words';
import { Acts } from './acts';
import { isNowhere, judgedBy, useDossier } from './asked';
import { Data } from './data';
import { counted, evidenceOf, unknowns } from './evidence';
import { Evaluations } from './evaluations';
import { Proof } from './proof';
import { Purpose } from './purpose';
import { Prose, Section } from './said';
import { Service } from './service';
import { Training } from './training';
import { Unknowns } from './unknowns';
import { Packs, type Report } from './verdicts';
import './dossier.css';

export type Version = Extract<NonNullable<DossierQuery['node']>, { __typename: 'ModelVersion' }>;
type Asked = ReturnType<typeof useDossier>;

export default function DossierPage() {
  const { version: id = '' } = useParams<{ version: string }>();
  const [parameters] = useParameters();
  const asked = useDossier(id);
  const node = asked.version.data?.node;
  useEffect(() => {
    document.title = node ? `${[title(node), 'version' in node && shortVersion(node.version)].filter(Boolean).join(' ')} · Lineward` : 'Model version · Lineward';
  }, [node]);
  if (asked.version.isPending) return <Loading what="Gathering what is known of this version" />;
  if (isNowhere(asked.version.error)) return <Nothing />;
  if (asked.version.isError) return <Failed error={asked.version.error} again={() => void asked.version.refetch()} />;
  if (!node) return <Nothing />;
  if (node.__typename === 'Model') {
    const [latest] = node.versions.nodes;
    return latest ? <Redirect replace to={linkTo(`/models/${latest.id}`, parameters)} /> : <Empty headline={`${legible(node.name)} has no version`}><p>It is named, and no run reported writing a version of it.</p></Empty>;
  }
  if (node.__typename !== 'ModelVersion') {
    return (
      <Empty headline={`This is a ${word(node.kind)}, not a version of a model`}>
        <p><Link href={linkTo('/lineage', parameters, { of: node.id })}>See its lineage</Link></p>
      </Empty>
    );
  }
  return <Dossier version={node} asked={asked} deployments={asked.version.data!.deployments} />;
}

function Nothing() {
  const [parameters] = useParameters();
  const isPast = parameters.has('valid') || parameters.has('known');
  return (
    <Empty headline={isPast ? 'Nothing was known of it then' : 'There is no such model version'}>
      <p>{isPast ? 'At the point in time that the address names, the catalog held nothing by this id.' : 'Nothing in the catalog has this id, or your key does not show it.'} <Link href={linkTo('/models', parameters)}>All models</Link></p>
    </Empty>
  );
}

function Dossier({ version, asked, deployments }: { version: Version; asked: Asked; deployments: DossierQuery['deployments'] }) {
  const { verdicts, rules, environment } = asked;
  const report = verdicts.data?.evaluate;
  const evidence = report && evidenceOf(report.evidence);
  const valid = asked.at?.valid;
  const intervals = deployments.nodes.filter(({ since }) => !valid || since <= valid);
  const missing = report ? unknowns([...report.needed, ...report.asked]) : [];
  const gaps = evidence?.lineage.gaps ?? [];
  const waiting = (what: string) => <Later asked={asked} what={what} />;
  return (
    <article className="page dossier">
      <Head version={version} asked={asked} />
      {version.state !== 'CURRENT' && version.state !== 'SUPERSEDED' && <Note tone="cut">This version is {remark(version)}: {STATES[version.state] ?? 'it was never completed'}.</Note>}
      <div className="columns">
        <aside aria-label="In short">
          <Summary report={report} asked={asked} serving={intervals} />
          <nav aria-label="On this page">
            <ul>
              <Jump to="purpose" name="What it is for" />
              <Jump to="verdicts" name="Verdicts" note={report && countOf(report)} />
              <Jump to="unknown" name="Not known" note={report && String(missing.length + gaps.length)} warn={missing.length + gaps.length > 0} />
              <Jump to="training" name="How it was made" />
              <Jump to="data" name="Data" note={evidence && String((evidence.trainingDatasets ?? []).length)} />
              <Jump to="evaluations" name="Evaluations" note={String(version.evaluations.length)} />
              <Jump to="acts" name="Approvals and statements" note={String(version.approvals.length + version.waivers.length)} />
              <Jump to="service" name="Service" note={String(intervals.length)} />
              <Jump to="evidence" name="Evidence" />
            </ul>
          </nav>
        </aside>
        <div className="body">
          <Section id="purpose" title="What it is for">{evidence ? <Purpose evidence={evidence} /> : waiting('Loading what it is for')}</Section>
          <Section id="verdicts" title="Verdicts" aside={report && report.packs.length > 0 && ` by ${plural(report.packs.length, 'pack')}, for ${legible(environment)}`}>
            {report ? report.controls.length > 0 ? <Packs report={report} rules={rules.data} /> : <Unbound asked={asked} /> : verdicts.isError ? <Failed error={verdicts.error} again={() => void verdicts.refetch()} /> : <Loading what="Judging it by the policies in force" />}
          </Section>
          <Section id="unknown" title="What is not known" aside={report && missing.length > 0 && ', and who could say it'}>
            {report && evidence ? <Unknowns missing={missing} gaps={gaps} isCut={evidence.lineage.truncated} /> : waiting('Looking for what is missing')}
          </Section>
          <Section id="training" title="How it was made"><Training version={version} evidence={evidence} /></Section>
          <Section id="data" title="Data" aside={evidence && ' that it was trained, validated and tested on'}>{evidence ? <Data evidence={evidence} /> : waiting('Following the data upstream')}</Section>
          <Section id="evaluations" title="Evaluations"><Evaluations version={version} evidence={evidence} /></Section>
          <Section id="acts" title="Approvals, waivers and statements"><Acts version={version} evidence={evidence} /></Section>
          <Section id="service" title="Service over time"><Service intervals={intervals} total={deployments.totalCount} until={valid ?? new Date().toISOString()} /></Section>
          <Section id="evidence" title="Evidence">{report && evidence ? <Proof version={version} report={report} evidence={evidence} decisions={asked.decisions} /> : waiting('Freezing the evidence')}</Section>
        </div>
      </div>
    </article>
  );
}

const STATES: Record<string, string> = {
  PARTIAL: 'its training run did not succeed',
  DROPPED: 'the model was dropped from its registry',
  IN_PROGRESS: 'its training run has not ended',
  DECLARED: 'it was named, and nobody reported writing it',
};

function Head({ version, asked }: { version: Version; asked: Asked }) {
  const [parameters, change] = useParameters();
  const [, navigate] = useLocation();
  const others = version.model?.versions.nodes.filter(({ id }) => id !== version.id) ?? [];
  return (
    <header className="head">
      <p className="crumbs dim"><Link href={linkTo('/models', parameters)}>Models</Link> / <bdi className="clip" title={legible(version.namespace ?? '')}>{legible(version.namespace ?? '')}</bdi></p>
      <h1><bdi>{legible(version.name)}</bdi> <code title={legible(version.version)}>{legible(shortVersion(version.version))}</code> {remark(version) && <b className="tag">{remark(version)}</b>}</h1>
      <div className="acts">
        <label className="inline">
          For
          <select value={asked.environment} onChange={(event) => change({ environment: event.target.value })}>
            {asked.environments.map((one) => <option key={one} value={one}>{legible(one)}</option>)}
          </select>
        </label>
        {others.length > 0 && (
          <label className="inline">
            Compare with
            <select value="" onChange={(event) => navigate(linkTo(`/models/${version.id}/compare/${event.target.value}`, parameters, judgedBy(parameters)))}>
              <option value="" disabled>a version…</option>
              {others.map((one) => <option key={one.id} value={one.id}>{legible(shortVersion(one.version))}, {one.state.toLowerCase()} {day(one.current ?? one.started).slice(0, 10)}</option>)}
            </select>
          </label>
        )}
        <Link className="button" href={linkTo('/lineage', parameters, { of: version.id })}>Lineage</Link>
      </div>
    </header>
  );
}

function Summary({ report, asked, serving }: { report: Report | undefined; asked: Asked; serving: DossierQuery['deployments']['nodes'] }) {
  const now = serving.filter((one) => one.state === 'SERVING' || (asked.at?.valid && (!one.until || one.until > asked.at.valid)));
  const silent = serving.filter((one) => one.state === 'UNKNOWN' && !now.includes(one));
  return (
    <div className="short">
      {report ? (
        report.controls.length > 0 ? (
          <>
            <p><GateAnswer of={report.state} where={legible(asked.environment)} /></p>
            <ul className="reasons">{report.reasons.slice(0, 3).map((reason) => <li key={reason}><Prose of={reason} /></li>)}{report.reasons.length > 3 && <li className="dim">and {report.reasons.length - 3} more</li>}</ul>
            <p className="counts">{VERDICTS.map((one) => [one, report.controls.filter(({ verdict }) => verdict === one).length] as const).filter(([, count]) => count > 0).map(([one, count]) => <VerdictBadge key={one} of={one} count={count} />)}</p>
          </>
        ) : (
          <p className="dim">No policy in force judges it for <bdi>{legible(asked.environment)}</bdi>.</p>
        )
      ) : (
        <Later asked={asked} what="Judging" />
      )}
      <p>{now.length > 0 ? <>Serves in <b>{[...new Set(now.map(({ environment }) => legible(environment ?? 'an unknown place')))].join(', ')}</b>.</> : <span className="dim">{serving.length > 0 ? 'Served, and does not now.' : 'Has not served.'}</span>}</p>
      {silent.length > 0 && <p><b className="tag gap">silent</b> {plural(silent.length, 'service')} that had it said nothing for three heartbeats.</p>}
    </div>
  );
}

function Jump({ to, name, note, warn }: { to: string; name: string; note?: ReactNode; warn?: boolean }) {
  return <li><a href={`#${to}`}>{name}{note && <span className={warn ? 'warn' : 'dim'}>{note}</span>}</a></li>;
}

function countOf(report: Report): string {
  const counts = counted(report.controls.map(({ verdict }) => verdict));
  return VERDICTS.filter((one) => one !== 'NOT_APPLICABLE' && counts.has(one)).map((one) => `${counts.get(one)} ${one.toLowerCase()}`)[0] ?? '';
}

/** A part that comes with the verdicts: on its way, or not to be had, which is said in full where the verdicts are. */
function Later({ asked, what }: { asked: Asked; what: string }) {
  if (asked.verdicts.isError) return <p className="dim">Not to be had without the <a href="#verdicts">verdicts</a>.</p>;
  return <Loading what={what} />;
}

function Unbound({ asked }: { asked: Asked }) {
  const [, change] = useParameters();
  const packs = asked.rules.data?.policyPacks ?? [];
  return (
    <Empty headline={`No policy in force judges it for ${legible(asked.environment)}`}>
      <p>A binding brings packs to bear: <code>lineward policy apply</code>. What a pack would say can be seen all the same:</p>
      <div className="acts">{packs.map(({ name }) => <button key={name} className="button" onClick={() => change({ pack: [name] })}>{legible(name)}</button>)}</div>
    </Empty>
  );
}

