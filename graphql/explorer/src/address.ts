import { useCallback, useMemo } from 'react';
import { useLocation, useSearch } from 'wouter';
import type { AsOf } from './gql/graphql';

export type Change = Record<string, string | readonly string[] | null | undefined>;

/** The parameters of the page's address, and how to change some of them; what is left out stays as it is. */
export function useParameters(): [URLSearchParams, (change: Change, how?: { replace: boolean }) => void] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const parameters = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback(
    (wanted: Change, how = { replace: false }) => navigate(path + queryOf(changed(parameters, wanted)), how),
    [parameters, path, navigate],
  );
  return [parameters, change];
}

export function changed(parameters: URLSearchParams, wanted: Change): URLSearchParams {
  const result = new URLSearchParams(parameters);
  for (const [name, value] of Object.entries(wanted)) {
    result.delete(name);
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) if (one) result.append(name, one);
  }
  return result;
}

export function queryOf(parameters: URLSearchParams): string {
  const text = parameters.toString();
  return text && `?${text}`;
}

/** An address of another page at the same point in both times. */
export function linkTo(path: string, parameters: URLSearchParams, more: Change = {}): string {
  const kept = new URLSearchParams([...parameters].filter(([name]) => name === 'valid' || name === 'known'));
  return path + queryOf(changed(kept, more));
}

/** `valid` and `known` of the address, as the schema wants them; undefined for now. */
export function asOf(parameters: URLSearchParams, prefix = ''): AsOf | undefined {
  const valid = parameters.get(`${prefix}valid`);
  const known = Number(parameters.get(`${prefix}known`) ?? '');
  const at: AsOf = {
    ...(valid && !Number.isNaN(Date.parse(valid)) && { valid: new Date(valid).toISOString() }),
    ...(Number.isSafeInteger(known) && known > 0 && { known }),
  };
  return at.valid || at.known ? at : undefined;
}
