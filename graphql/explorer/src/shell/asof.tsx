import { type FormEvent, useRef } from 'react';
import { useParameters } from '../address';
import { day } from '../words';

/** The point in both times that every page is asked at, kept in the address. */
export function AsOfControl({ size }: { size: number | undefined }) {
  const [parameters, change] = useParameters();
  const dialog = useRef<HTMLDialogElement>(null);
  const valid = parameters.get('valid');
  const known = parameters.get('known');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const local = String(given.get('valid'));
    change({ valid: local && new Date(`${local}Z`).toISOString(), known: String(given.get('known')) });
    dialog.current?.close();
  };
  const now = () => {
    change({ valid: null, known: null });
    dialog.current?.close();
  };
  return (
    <>
      <button className="button asof" data-past={valid || known ? '' : undefined} onClick={() => dialog.current?.showModal()}>
        As of <b>{valid ? `${day(valid)} UTC` : known ? '' : 'now'}{known && ` log ${Number(known).toLocaleString('en')}`}</b>
      </button>
      <dialog ref={dialog} aria-labelledby="asof-title" onClick={(event) => event.target === dialog.current && dialog.current.close()}>
        <form onSubmit={submit} key={`${valid} ${known}`}>
          <h2 id="asof-title">As of</h2>
          <p className="dim">Both left empty: now. The address of the page keeps them.</p>
          <label>
            What was true at (UTC)
            <input type="datetime-local" name="valid" step={1} defaultValue={valid?.slice(0, 19)} />
          </label>
          <label>
            What the log held at size
            <input type="number" name="known" min={1} max={size} placeholder={size?.toString()} defaultValue={known ?? ''} />
          </label>
          <div className="acts">
            <button type="button" className="button" onClick={now}>Now</button>
            <button className="button strong">Show</button>
          </div>
        </form>
      </dialog>
    </>
  );
}
