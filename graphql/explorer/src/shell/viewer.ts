import { useQuery } from '@tanstack/react-query';
import { ask } from '../ask';
import { ViewerDocument, type ViewerQuery } from '../gql/graphql';
import { useKey } from './session';
import { legible } from '../words';

export type Viewer = ViewerQuery['viewer'];

/** Who asks, as the log would name them. */
export function useViewer(): Viewer | undefined {
  const held = useKey();
  return useQuery({ queryKey: ['viewer', held], queryFn: ({ signal }) => ask(ViewerDocument, {}, signal) }).data?.viewer;
}

export function who(viewer: Viewer): string {
  return legible(viewer.person ?? viewer.principal);
}

export function may(viewer: Viewer | undefined, scope: string): boolean {
  return viewer?.grants.some((grant) => grant.scope === scope) ?? false;
}
