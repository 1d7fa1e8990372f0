import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ask } from '../ask';
import { ReplayedDocument } from '../gql/graphql';
import { useKey } from '../shell/session';
import { legible, plural } from '../words';
import { Trouble } from './dialog';
import { canVerify, type Check, keyOf, type Verified, verified } from './verification';
import { brief } from './words';

const NAME = 'lineward.trusted-key'; // a public key, and no secret: it stays in this browser until it is forgotten

/** The checks that this browser makes of a file by itself, under the key that its reader trusts. */
export function useVerified(file: string | undefined) {
  const [trusted, setTrusted] = useState(() => localStorage.getItem(NAME) ?? undefined);
  const trust = (pem: string | undefined) => {
    if (pem === undefined) localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, pem);
    setTrusted(pem);
  };
  const found = useQuery({
    queryKey: ['verified', file, trusted],
    queryFn: () => verified(file!, trusted),
    enabled: file !== undefined && canVerify(),
    staleTime: Infinity,
  });
  return { verified: found.data, error: found.error ?? undefined, trusted, trust };
}

export function verdictOf({ checks, isTrusted }: Verified): { tone: 'good' | 'bad' | 'wait'; text: string } {
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  if (failed.length > 0) return { tone: 'bad', text: `Does not verify: ${failed.map(({ name }) => name).join(', ')}` };
  if (checks.some(({ outcome }) => outcome === 'absent')) return { tone: 'wait', text: 'Consistent, but not signed' };
  return isTrusted ? { tone: 'good', text: 'Genuine: signed by the key that you trust' } : { tone: 'good', text: 'Unchanged since it was signed' };
}

interface Props {
  found: ReturnType<typeof useVerified>;
  /** The decision that the server computes again; undefined for a file of one's own. */
  replays: string | undefined;
  /** Whether there is anything to compute again. */
  froze: boolean;
}

/** What was checked, by whom, and what each check proves. */
export function Proof({ found, replays, froze }: Props) {
  return (
    <div className="proof">
      <section aria-label="Checked in this browser">
        <h3>Checked in this browser</h3>
        {!canVerify() ? (
          <p className="trouble">This browser gives no cryptography to a page that came over plain http from another machine. Open it with https, or download the bundle and run <code>lineward decision verify FILE</code>.</p>
        ) : found.error ? (
          <Trouble of={found.error} />
        ) : !found.verified ? (
          <p className="dim" role="status">Checking signature and digests…</p>
        ) : (
          <InBrowser verified={found.verified} />
        )}
        <TrustedKey trusted={found.trusted} trust={found.trust} signer={found.verified?.signer} />
      </section>
      {replays && (
        <section aria-label="Computed again by the server">
          <h3>Computed again by this server</h3>
          {froze ? <Replay id={replays} /> : <p className="dim">The decision froze no evidence, as it could not be decided: there is nothing to compute again.</p>}
        </section>
      )}
    </div>
  );
}

function InBrowser({ verified: { checks, isTrusted, signer } }: { verified: Verified }) {
  const failed = checks.filter(({ outcome }) => outcome !== 'ok');
  const fine = checks.filter(({ outcome }) => outcome === 'ok');
  return (
    <>
      <Verdict of={{ checks, isTrusted, signer, decision: undefined }} />
      {failed.length > 0 && <CheckList of={failed} />}
      {fine.length > 0 && (
        <details>
          <summary>{plural(fine.length, 'check')} passed</summary>
          <CheckList of={fine} />
        </details>
      )}
      <p className="dim">
        The signature (Ed25519 over the DSSE encoding) proves that whoever holds the key answers for exactly these bytes; the digests (SHA-256 over RFC 8785) that evidence, packs and verdicts are those that were signed.{' '}
        {!isTrusted && signer && 'Which key that should be, the file cannot say: it came with it. Compare the key below with the one from whoever runs the server, or give that one here.'}
      </p>
    </>
  );
}

export function Verdict({ of }: { of: Verified }) {
  const { tone, text } = verdictOf(of);
  return <p className="seal" data-tone={tone} role="status"><b>{tone === 'bad' ? '✕' : tone === 'wait' ? '–' : '✓'}</b> {text}</p>;
}

function CheckList({ of }: { of: readonly Check[] }) {
  return (
    <ul className="verified">
      {of.map(({ name, outcome, message }, index) => (
        <li key={`${name} ${index}`} data-tone={outcome === 'ok' ? 'good' : outcome === 'failed' ? 'bad' : 'wait'}>
          <b>{outcome}</b> <span>{legible(name)}</span> <span className="dim">{brief(legible(message), 300)}</span>
        </li>
      ))}
    </ul>
  );
}

function TrustedKey({ trusted, trust, signer }: { trusted: string | undefined; trust: (pem: string | undefined) => void; signer: string | undefined }) {
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const pem = String(new FormData(event.currentTarget).get('pem')).trim();
    if (await keyOf(pem)) trust(pem);
    setProblem((await keyOf(pem)) ? undefined : 'This is no public Ed25519 key in PEM.');
  };
  return (
    <div className="trusted">
      {signer && <p>Key <code>{signer}</code> {trusted && <b className="tag added">yours</b>}</p>}
      {trusted ? (
        <button type="button" className="button" onClick={() => trust(undefined)}>Forget the key that I trust</button>
      ) : (
        <details>
          <summary>Check it with a key that I trust</summary>
          <form onSubmit={(event) => void submit(event)}>
            <label>Public key in PEM, from whoever runs the server<textarea name="pem" rows={3} required spellCheck={false} /></label>
            {problem && <p className="trouble" role="alert">{problem}</p>}
            <div className="acts"><button className="button">Trust this key</button></div>
          </form>
        </details>
      )}
    </div>
  );
}

function Replay({ id }: { id: string }) {
  const held = useKey();
  const replayed = useQuery({ queryKey: ['replayed', id, held], queryFn: ({ signal }) => ask(ReplayedDocument, { id }, signal), staleTime: Infinity, retry: false });
  const found = replayed.data?.replay;
  return (
    <>
      {replayed.isPending ? (
        <p className="dim" role="status">Evaluating every control again…</p>
      ) : replayed.isError ? (
        <><Trouble of={replayed.error} /><div className="acts"><button type="button" className="button" onClick={() => void replayed.refetch()}>Try again</button></div></>
      ) : (
        <>
          <p className="seal" data-tone={found!.differences.length ? 'bad' : 'good'} role="status">
            <b>{found!.differences.length ? '✕' : '✓'}</b> {found!.differences.length ? `${plural(found!.differences.length, 'verdict')} come out otherwise` : `${plural(found!.controls, 'control')} come out as recorded`}
          </p>
          {found!.differences.length > 0 && (
            <ul className="verified">
              {found!.differences.map((each) => <li key={each.what} data-tone="bad"><b>{legible(each.what)}</b> <span>recorded {legible(each.recorded)}</span> <span className="dim">now {legible(each.replayed)}</span></li>)}
            </ul>
          )}
        </>
      )}
      <p className="dim">The frozen evidence was judged again by the frozen packs, at the recorded time: the decision follows from its own rules. It is the server's word for it. For a check without this server, download the bundle and run <code>lineward decision replay FILE</code>.</p>
    </>
  );
}
