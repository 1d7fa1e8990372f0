import type { ReactNode } from 'react';
import { Refusal } from './ask';

export function Loading({ what }: { what: string }) {
  return (
    <p className="state" role="status">
      <i className="pulse" aria-hidden="true" />
      {what}…
    </p>
  );
}

export function Empty({ headline, children }: { headline: string; children?: ReactNode }) {
  return (
    <div className="state empty">
      <h2>{headline}</h2>
      {children}
    </div>
  );
}

/** What failed, what to do, and a way to try again. */
export function Failed({ error, again }: { error: unknown; again?: () => void }) {
  const refusal = error instanceof Refusal ? error : undefined;
  const signIn = refusal?.code === 'UNAUTHENTICATED';
  return (
    <div className="state failed" role="alert">
      <h2>{signIn ? 'Sign in to see this' : refusal ? refusal.message : 'Something went wrong in this page.'}</h2>
      <p>{signIn ? 'This server answers those who hold an API key or a token. Put it in with “Sign in”, above.' : (refusal?.remedy ?? String(error))}</p>
      {again && (
        <button className="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** A note over what is shown: something is missing from it, or it is older than what is known. */
export function Note({ tone, children }: { tone: 'cut' | 'stale' | 'past'; children: ReactNode }) {
  return (
    <p className={`note ${tone}`} role="status">
      {children}
    </p>
  );
}
