import type { ReactNode } from 'react';
import { day, legible } from '../words';
import type { Fact } from './evidence';

const HOW: Record<Fact['assurance'], string> = {
  VERIFIED: 'verified',
  ATTESTED: 'attested',
  REPORTED: 'reported',
  SELF_DECLARED: 'claimed',
};

/** A name of a fact and what it says, with who said so; what nobody said is told as such. */
export function Line({ name, fact, children }: { name: string; fact?: Fact | undefined; children?: ReactNode }) {
  const isKnown = children !== undefined && children !== null && children !== '' && children !== false;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {isKnown ? children : <NotKnown />}
        {isKnown && fact && ' '}
        {isKnown && fact && <span className="source">{HOW[fact.assurance]} by <bdi>{legible(fact.actor)}</bdi>, {day(fact.at).slice(0, 10)}</span>}
      </dd>
    </>
  );
}

/** Sentences of a pack: what stands between backticks is to be typed as it is. */
export function Prose({ of }: { of: string }) {
  return <>{of.split('`').map((part, index) => (index % 2 ? <code key={index}>{legible(part)}</code> : legible(part)))}</>;
}

/** Leads to the list of what is not known, which says who could tell. */
export function NotKnown({ what = 'not known' }: { what?: string }) {
  return <a className="tag gap" href="#unknown">{what}</a>;
}

/** A long digest or id, whole for whoever selects it. */
export function Digest({ of }: { of: string }) {
  return <code className="digest" title={legible(of)}>{legible(of)}</code>;
}

export function List({ of }: { of: readonly string[] }) {
  return <>{of.map((one, index) => <span key={index}>{index > 0 && ', '}<bdi>{legible(one)}</bdi></span>)}</>;
}

export function Section({ id, title, aside, children }: { id: string; title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}{aside && <span className="dim">{aside}</span>}</h2>
      {children}
    </section>
  );
}
