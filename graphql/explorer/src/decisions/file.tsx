import { type DragEvent, useEffect, useState } from 'react';
import { Link } from 'wouter';
import { linkTo, useParameters } from '../address';
import { legible, plural } from '../words';
import { Facts } from './dialog';
import { Evidence } from './evidence';
import { Proof, useVerified, verdictOf } from './proof';
import { list, part, said } from './strict';
import { brief } from './words';
import './decisions.css';

/** Checks a decision that somebody handed over: it stays in this browser, and the server is not asked. */
export default function FilePage() {
  const [parameters] = useParameters();
  const [file, setFile] = useState<{ name: string; content: string }>();
  const found = useVerified(file?.content);
  useEffect(() => {
    document.title = 'Check a decision · Lineward';
  }, []);
  const read = async (chosen: File | undefined) => chosen && setFile({ name: chosen.name, content: await chosen.text() });
  const drop = (event: DragEvent) => {
    event.preventDefault();
    void read(event.dataTransfer.files[0]);
  };
  const decision = found.verified?.decision;
  const target = part(decision?.['target']);
  return (
    <div className="page decision" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <p className="back"><Link href={linkTo('/decisions', parameters)}>Decisions</Link></p>
      <div className="headline"><h1>Check a decision</h1></div>
      <label className="drop">
        <span>A bundle or an attestation, as <code>lineward gate</code> or this explorer wrote it. It is not sent anywhere.</span>
        <input type="file" accept=".json,application/json" onChange={(event) => void read(event.target.files?.[0])} />
      </label>
      {file && (
        <>
          <h2 className="file-name"><bdi>{brief(legible(file.name), 120)}</bdi></h2>
          <Proof found={found} replays={undefined} froze={false} />
          {decision ? (
            <section aria-label="What the file says">
              <h2>What the file says</h2>
              {found.verified && verdictOf(found.verified).tone === 'bad' && <p className="trouble">It does not verify: nothing of this is vouched for.</p>}
              <Facts
                of={[
                  ['state', <b key="s">{legible(said(decision['state']))}</b>],
                  ['version', <bdi key="v">{brief(legible(`${said(target['name'])}@${said(target['version'])}`), 200)}</bdi>],
                  ['in', <bdi key="n">{brief(legible(said(target['namespace'])), 200)}</bdi>],
                  ['environment', legible(said(decision['environment']))],
                  ['asked by', <bdi key="r">{legible(said(decision['requester']))}</bdi>],
                  ['decided', `${legible(said(decision['evaluatedAt']))}`],
                  ['controls', plural(list(decision['controls']).length, 'control')],
                ]}
              />
              <p className="dim">Whether its verdicts follow from its evidence, <code>lineward decision replay {brief(legible(file.name), 60)}</code> computes again on your own machine.</p>
              <Evidence of={part(decision['evidence'])} />
            </section>
          ) : (
            found.verified?.signer && <p className="dim">An attestation alone: the evidence behind it is in the bundle.</p>
          )}
        </>
      )}
    </div>
  );
}
