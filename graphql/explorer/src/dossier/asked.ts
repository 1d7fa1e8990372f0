import { useQuery } from '@tanstack/react-query';
import { asOf, type Change, useParameters } from '../address';
import { ask, Refusal } from '../ask';
import { DossierDecisionsDocument, DossierDocument, type DossierQuery, DossierRulesDocument, type DossierRulesQuery, DossierVerdictsDocument } from '../gql/graphql';
import { EXPECTED } from './evidence';

const USUAL = 'production';

/** What is known of the version, what may be said of it, and what the policies say, each asked for by itself. */
export function useDossier(id: string) {
  const [parameters] = useParameters();
  const at = asOf(parameters) ?? null;
  const history = at?.known ? { known: at.known } : null;
  const version = useQuery({ queryKey: ['dossier', id, at], queryFn: ({ signal }) => ask(DossierDocument, { id, of: { id }, at, history }, signal) });
  const rules = useRules();
  const node = version.data?.node;
  const isVersion = node?.__typename === 'ModelVersion';
  const { environment, environments } = whereOf(parameters, version.data, rules.data);
  const packs = parameters.getAll('pack');
  const isSettled = isVersion && !rules.isPending;
  const verdicts = useQuery({
    queryKey: ['dossier verdicts', id, at, environment, packs],
    queryFn: ({ signal }) => ask(DossierVerdictsDocument, { of: { id }, at, environment, packs, fields: EXPECTED }, signal),
    enabled: isSettled,
  });
  const decisions = useQuery({
    queryKey: ['dossier decisions', id, at],
    queryFn: ({ signal }) => ask(DossierDecisionsDocument, { of: { id }, at }, signal),
    enabled: isVersion,
  });
  return { at, version, rules, verdicts, decisions, environment, environments, packs };
}

/** What of the address says by what it is judged: links to other versions keep it. */
export function judgedBy(parameters: URLSearchParams): Change {
  return { environment: parameters.get('environment'), pack: parameters.getAll('pack') };
}

/** Whether the server says that there is nothing by the id of the address. */
export function isNowhere(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'NOT_FOUND';
}

export function useRules() {
  const [parameters] = useParameters();
  const at = asOf(parameters) ?? null;
  return useQuery({ queryKey: ['dossier rules', at], queryFn: ({ signal }) => ask(DossierRulesDocument, { at }, signal) });
}

/** The environment that is asked about: as the address says, else where it serves, else where policies bind. */
export function whereOf(parameters: URLSearchParams, version: Pick<DossierQuery, 'deployments'> | undefined, rules: DossierRulesQuery | undefined) {
  const serving = (version?.deployments.nodes ?? []).toReversed().map(({ environment }) => environment);
  const bound = (rules?.policyBindings ?? []).flatMap(({ environments }) => environments);
  const known = [...serving, ...bound].filter((one): one is string => Boolean(one) && !/[*?[]/.test(one!));
  const environment = parameters.get('environment') ?? (known.includes(USUAL) ? USUAL : (known[0] ?? USUAL));
  return { environment, environments: [...new Set([environment, ...known])].toSorted() };
}
