import { type FormEvent, useRef } from 'react';
import { useViewer, who } from './viewer';
import { client } from '../ask';
import { setKey, useKey } from './session';

/** Who asks: a key or token, sent with every question and kept in this tab alone. */
export function SignIn({ refused }: { refused: boolean }) {
  const held = useKey();
  const viewer = useViewer();
  const dialog = useRef<HTMLDialogElement>(null);
  const use = (value: string) => {
    setKey(value.trim());
    void client.resetQueries();
    dialog.current?.close();
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    use(String(new FormData(event.currentTarget).get('key')));
  };
  return (
    <>
      <button className="button" data-wanted={refused ? '' : undefined} onClick={() => dialog.current?.showModal()}>
        {held ? (refused ? 'Key refused' : viewer && !viewer.open ? <bdi className="person">{who(viewer)}</bdi> : 'Signed in') : refused ? 'Sign in' : 'local, open'}
      </button>
      <dialog ref={dialog} aria-labelledby="signin-title" onClick={(event) => event.target === dialog.current && dialog.current.close()}>
        <form onSubmit={submit} autoComplete="off">
          <h2 id="signin-title">{held ? 'Signed in' : 'Sign in'}</h2>
          <p className="dim">
            {held || refused
              ? 'An API key, or a token of your identity provider. It stays in this tab and is forgotten with it.'
              : 'This server answers you without a key. To act in your own name, put in an API key or a token.'}
          </p>
          <label>
            API key or token
            <input type="password" name="key" required spellCheck={false} autoComplete="off" />
          </label>
          <div className="acts">
            {held && <button type="button" className="button" onClick={() => use('')}>Sign out</button>}
            <button className="button strong">Use it</button>
          </div>
        </form>
      </dialog>
    </>
  );
}
