import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { asOf, linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { ComparedVerdictsDocument, ComparedVersionDocument, DossierDocument, type Verdict } from '../gql/graphql';
import { Empty, Failed, Loading, Note } from '../states';
import { GateAnswer, VerdictBadge, VERDICTS } from '../verdicts/badge';
import { day, legible, plural, shortVersion } from '../words';
import { isNowhere, judgedBy, useRules, whereOf } from './asked';
import { differences, differing, type Group, type Row, type Side } from './differences';
import './dossier.css';

type Asked = ReturnType<typeof useSide>;

function useSide(id: string, environment: string | undefined) {
  const [parameters] = useParameters();
  const at = asOf(parameters) ?? null;
  const version = useQuery({ queryKey: ['compared', id, at], queryFn: ({ signal }) => ask(ComparedVersionDocument, { id, of: { id }, at }, signal) });
  const packs = parameters.getAll('pack');
  const verdicts = useQuery({
    queryKey: ['compared verdicts', id, at, environment, packs],
    queryFn: ({ signal }) => ask(ComparedVerdictsDocument, { of: { id }, at, environment: environment!, packs }, signal),
    enabled: environment !== undefined,
  });
  return { version, verdicts };
}

/** Two versions side by side: what differs first, then what is not known, and folded away what is the same. */
export default function ComparePage() {
  const { version = '', base = '' } = useParams<{ version: string; base: string }>();
  const [parameters] = useParameters();
  const at = asOf(parameters) ?? null;
  const rules = useRules();
  const served = useQuery({ queryKey: ['dossier', version, at], queryFn: ({ signal }) => ask(DossierDocument, { id: version, of: { id: version }, at, history: at?.known ? { known: at.known } : null }, signal) });
  const isSettled = !rules.isPending && !served.isPending;
  const { environment } = whereOf(parameters, served.data, rules.data);
  const [one, two] = [useSide(base, isSettled ? environment : undefined), useSide(version, isSettled ? environment : undefined)];
  useEffect(() => {
    document.title = 'Comparison · Lineward';
  }, []);
  const failed = [one, two].find(({ version: { isError, error } }) => isError && !isNowhere(error));
  if (failed) return <Failed error={failed.version.error} again={() => void failed.version.refetch()} />;
  const [left, right] = [sideOf(one), sideOf(two)];
  if (!left || !right) return <Loading what="Gathering both versions" />;
  if (left === 'nothing' || right === 'nothing') {
    return (
      <Empty headline="There are not two versions of a model here">
        <p>{left === 'nothing' ? 'The first' : 'The second'} of the two that the address names is no version of a model that is known at this point in time. <Link href={linkTo('/models', parameters)}>All models</Link></p>
      </Empty>
    );
  }
  const isJudging = !isSettled || one.verdicts.isPending || two.verdicts.isPending;
  const refused = [one, two].find((side) => side.verdicts.isError)?.verdicts;
  return (
    <article className="page dossier compare">
      <Head base={left} other={right} />
      <Sides base={left} other={right} environment={environment} />
      {left.version.model?.id !== right.version.model?.id && <Note tone="past">These are versions of two different models.</Note>}
      {refused && <Failed error={refused.error} again={() => void refused.refetch()} />}
      {isJudging ? <Loading what="Judging both by the policies in force" /> : <Groups groups={differences(left, right)} />}
    </article>
  );
}

function sideOf({ version, verdicts }: Asked): Side | 'nothing' | undefined {
  if (isNowhere(version.error)) return 'nothing';
  if (!version.data) return undefined;
  const { node, lineage } = version.data;
  return node?.__typename === 'ModelVersion' ? { version: node, inputs: lineage, report: verdicts.data?.evaluate } : 'nothing';
}

function Head({ base, other }: { base: Side; other: Side }) {
  const [parameters] = useParameters();
  const swapped = `/models/${base.version.id}/compare/${other.version.id}`;
  return (
    <header className="head">
      <p className="crumbs dim"><Link href={linkTo('/models', parameters)}>Models</Link> / <Link href={linkTo(`/models/${other.version.id}`, parameters)}><bdi className="clip">{legible(other.version.name)}</bdi></Link></p>
      <h1>What differs between <code>{legible(shortVersion(base.version.version))}</code> and <code>{legible(shortVersion(other.version.version))}</code> of <bdi>{legible(other.version.name)}</bdi></h1>
      <div className="acts"><Link className="button" href={linkTo(swapped, parameters, judgedBy(parameters))}>Swap sides</Link></div>
    </header>
  );
}

function Sides({ base, other, environment }: { base: Side; other: Side; environment: string }) {
  return (
    <div className="sides">
      <span />
      <SideHead side={base} label="From" against={other} environment={environment} pick={(id) => `/models/${other.version.id}/compare/${id}`} />
      <SideHead side={other} label="To" against={base} environment={environment} pick={(id) => `/models/${id}/compare/${base.version.id}`} />
    </div>
  );
}

function SideHead({ side, label, against, environment, pick }: { side: Side; label: string; against: Side; environment: string; pick: (id: string) => string }) {
  const [parameters] = useParameters();
  const [, navigate] = useLocation();
  const { version, report } = side;
  const choices = (version.model?.versions.nodes ?? []).filter(({ id }) => id !== against.version.id);
  return (
    <div>
      <label className="inline">
        {label}
        <select value={version.id} onChange={(event) => navigate(linkTo(pick(event.target.value), parameters, judgedBy(parameters)))}>
          {!choices.some(({ id }) => id === version.id) && <option value={version.id}>{legible(shortVersion(version.version))}</option>}
          {choices.map((one) => <option key={one.id} value={one.id}>{legible(shortVersion(one.version))}, {one.state.toLowerCase()} {day(one.current ?? one.started).slice(0, 10)}</option>)}
        </select>
      </label>
      <p>{report && report.controls.length > 0 ? <GateAnswer of={report.state} where={legible(environment)} /> : report && <span className="dim">no policy judges it</span>}</p>
      <p><Link href={linkTo(`/models/${version.id}`, parameters, judgedBy(parameters))}>Dossier</Link></p>
    </div>
  );
}

function Groups({ groups }: { groups: Group[] }) {
  const count = groups.reduce((sum, group) => sum + differing(group), 0);
  const unknown = groups.flatMap(({ rows }) => rows).filter(({ same }) => same === null).length;
  return (
    <>
      <p role="status" className="sum">{count === 0 ? 'Nothing that is known differs' : `${plural(count, 'thing')} ${count === 1 ? 'differs' : 'differ'}`}{unknown > 0 && `; of ${unknown} it is not known`}.</p>
      {groups.map((group) => <GroupTable key={group.name} group={group} />)}
    </>
  );
}

function GroupTable({ group }: { group: Group }) {
  const different = group.rows.filter(({ same }) => same !== true);
  const same = group.rows.filter((row) => row.same === true);
  if (different.length === 0) {
    return (
      <details className="alike">
        <summary><b>{group.name}</b> <span className="dim">{same.length === 0 ? 'nothing told on either side' : `${same.length} the same`}</span></summary>
        {same.length > 0 && <Rows rows={same} name={`${group.name}, the same`} />}
      </details>
    );
  }
  const id = `group-${group.name.toLowerCase()}`;
  const count = differing(group);
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{group.name}<span className="dim">{count > 0 ? ` ${count} ${count === 1 ? 'differs' : 'differ'}` : ' not known'}</span></h2>
      <Rows rows={different} name={group.name} />
      {same.length > 0 && (
        <details>
          <summary className="dim">{plural(same.length, 'is the same', 'are the same')}</summary>
          <Rows rows={same} name={`${group.name}, the same`} />
        </details>
      )}
    </section>
  );
}

function Rows({ rows, name }: { rows: Row[]; name: string }) {
  return (
    <table className="pairs">
      <colgroup><col /><col /><col /></colgroup>
      <thead className="hidden"><tr><th scope="col">{name}</th><th scope="col">From</th><th scope="col">To</th></tr></thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name} data-change={row.same === false ? (row.base === undefined ? 'added' : row.other === undefined ? 'removed' : 'changed') : undefined}>
            <th scope="row"><bdi>{legible(row.name)}</bdi></th>
            <td><Value of={row.base} isUnknown={row.same === null} /></td>
            <td><Value of={row.other} isUnknown={row.same === null} />{row.note && <span className="second dim">{row.note}</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Value({ of, isUnknown }: { of: string | undefined; isUnknown: boolean }) {
  if (of === undefined) return isUnknown ? <b className="tag gap">not known</b> : <span className="dim">–</span>;
  if (VERDICTS.includes(of as Verdict)) return <VerdictBadge of={of as Verdict} />;
  return <bdi className="value" title={legible(of)}>{legible(of)}</bdi>;
}
