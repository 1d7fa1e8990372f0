import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { asOf, linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { ModelsDocument } from '../gql/graphql';
import { Empty, Failed, Loading } from '../states';
import { day, legible, plural, shortVersion } from '../words';

const PAGE = 50;

export default function ModelsPage() {
  const [parameters, change] = useParameters();
  const at = asOf(parameters);
  const name = parameters.get('name') ?? '';
  const after = parameters.get('after');
  const models = useQuery({
    queryKey: ['models', at, name, after],
    queryFn: ({ signal }) => ask(ModelsDocument, { at: at ?? null, filter: name ? { nameContains: name } : null, first: PAGE, after }, signal),
    placeholderData: (before) => before,
  });
  useEffect(() => {
    document.title = 'Models · Lineward';
  }, []);
  const list = models.data?.models;
  return (
    <div className="page">
      <div className="headline">
        <h1>Models</h1>
        {list && <p className="dim">{plural(list.totalCount, 'model')}</p>}
        <span className="grow" />
        <input type="search" aria-label="Only names with" placeholder="Only names with" defaultValue={name} onChange={(event) => change({ name: event.target.value, after: null }, { replace: true })} />
      </div>
      {models.isPending ? (
        <Loading what="Loading models" />
      ) : models.isError ? (
        <Failed error={models.error} again={() => void models.refetch()} />
      ) : list!.nodes.length === 0 ? (
        <Empty headline={name ? `No model has a name with “${name}”` : 'No model has been reported'}>
          <p>A model is an output dataset with the facet datasetType: MODEL, or one in a namespace that the settings name.</p>
        </Empty>
      ) : (
        <>
          <table>
            <thead>
              <tr><th scope="col">Model</th><th scope="col">Current version</th><th scope="col">Since (UTC)</th><th scope="col" className="number">Versions</th><th scope="col" className="wide">Namespace</th></tr>
            </thead>
            <tbody>
              {list!.nodes.map((model) => (
                <tr key={model.id}>
                  <th scope="row"><Link href={linkTo(`/models/${model.currentVersion?.id ?? model.id}`, parameters)}><bdi>{legible(model.name)}</bdi></Link></th>
                  <td>{model.currentVersion ? <code>{legible(shortVersion(model.currentVersion.version))}</code> : <span className="dim">none</span>}</td>
                  <td>{day(model.currentVersion?.current)}</td>
                  <td className="number">{model.versions.totalCount.toLocaleString('en')}</td>
                  <td className="wide dim"><bdi>{legible(model.namespace ?? '')}</bdi></td>
                </tr>
              ))}
            </tbody>
          </table>
          <div className="acts">
            {after && <button className="button" onClick={() => change({ after: null })}>From the first</button>}
            {list!.pageInfo.hasNextPage && <button className="button" onClick={() => change({ after: list!.pageInfo.endCursor })}>Next {PAGE}</button>}
          </div>
        </>
      )}
    </div>
  );
}
