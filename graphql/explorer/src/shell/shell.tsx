import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { linkTo, useParameters } from '../address';
import { ask, Refusal } from '../ask';
import { LogDocument } from '../gql/graphql';
import { Note } from '../states';
import { AsOfControl } from './asof';
import { GlobalSearch } from './search';
import { SignIn } from './signin';

export interface PageEntry {
  name: string;
  path: string;
}

const STALE_AFTER = 5; // seconds that the oldest entry waits before a page says so

export function useLog() {
  return useQuery({ queryKey: ['log'], queryFn: ({ signal }) => ask(LogDocument, {}, signal), refetchInterval: 15_000 });
}

/** What surrounds every page: where to go, what to look for, when, and who asks. */
export function Shell({ pages, children }: { pages: readonly PageEntry[]; children: ReactNode }) {
  const [path] = useLocation();
  const [parameters] = useParameters();
  const log = useLog();
  const refused = log.error instanceof Refusal && log.error.code === 'UNAUTHENTICATED';
  const status = log.data?.log;
  const lag = status?.projection.lagSeconds ?? 0;
  return (
    <div className="shell">
      <a className="skip" href="#main">Skip to content</a>
      <nav className="rail" aria-label="Pages">
        <Link className="brand" href="/">Lineward</Link>
        {pages.map((page) => (
          <Link
            key={page.path}
            href={linkTo(page.path, parameters)}
            aria-current={page.path === path || (page.path !== '/' && path.startsWith(`${page.path}/`)) ? 'page' : undefined}
          >
            {page.name}
          </Link>
        ))}
        <a href="/graphql">GraphQL</a>
        {status && (
          <p className="logline" title={`Root of the log: ${status.root}`}>
            <span>log {status.size.toLocaleString('en')}</span>
            <code>{status.root.slice(0, 8)}…</code>
          </p>
        )}
      </nav>
      <header className="top">
        <GlobalSearch />
        <span className="grow" />
        <AsOfControl size={status?.size} />
        <SignIn refused={refused} />
      </header>
      <main id="main" tabIndex={-1}>
        {lag > STALE_AFTER && (
          <Note tone="stale">
            The graph is {Math.round(lag)} s behind the log: {(status!.size - status!.projection.offset).toLocaleString('en')} entries are not in these answers yet.
          </Note>
        )}
        {children}
      </main>
    </div>
  );
}
