import { QueryClient } from '@tanstack/react-query';
import type { TypedDocumentString } from './gql/graphql';
import { bearer } from './shell/session';

/** What the server said of a question that it did not answer, with what to do about it. */
export class Refusal extends Error {
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(message: string, code: string, remedy?: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string; remedy?: string } }[];
}

/** Sends one operation. Throws a Refusal for errors of any kind, unreachable servers included. */
export async function ask<Data, Variables>(
  operation: TypedDocumentString<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Data> {
  const answer = (await send(JSON.stringify({ query: operation.toString(), variables }), signal)) as Answer<Data>;
  const error = answer.errors?.[0];
  if (error) throw new Refusal(error.message, error.extensions?.code ?? 'ERROR', error.extensions?.remedy);
  if (!answer.data) throw new Refusal('The answer holds no data.', 'ERROR');
  return answer.data;
}

async function send(body: string, signal?: AbortSignal): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', 'X-Lineward-CSRF': '1', ...bearer() };
  try {
    const response = await fetch('/graphql', { method: 'POST', body, headers, ...(signal && { signal }) });
    return await response.json();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Refusal('The server does not answer.', 'UNREACHABLE', 'Check that it runs, then try again.');
  }
}

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      refetchOnWindowFocus: false,
      retry: (times, error) => times < 2 && error instanceof Refusal && error.code === 'UNREACHABLE',
    },
  },
});
