import '@fontsource-variable/inter/wght.css';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import '@graphiql/plugin-explorer/style.css';
import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import 'graphiql/style.css';
import EditorWorker from 'monaco-editor/esm/vs/editor/editor.worker.js?worker';
import JsonWorker from 'monaco-editor/esm/vs/language/json/json.worker.js?worker';
import GraphQLWorker from 'monaco-graphql/esm/graphql.worker.js?worker';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { bearer } from '../shell/session';
import './console.css';
import { SAVED_PLUGIN } from './saved';

const workers: Record<string, new () => Worker> = { json: JsonWorker, graphql: GraphQLWorker };
window.MonacoEnvironment = { getWorker: (_id: string, label: string) => new (workers[label] ?? EditorWorker)() };

const plain = createGraphiQLFetcher({ url: '/graphql' });
const fetcher: Fetcher = (parameters, options) => plain(parameters, { ...options, headers: { 'X-Lineward-CSRF': '1', ...bearer(), ...options?.headers } });
const plugins = [SAVED_PLUGIN, HISTORY_PLUGIN, explorerPlugin()];

const FIRST = `# Saved questions are in the list at the side; Ctrl-Enter asks.
{
  log { size root projection { store offset lagSeconds } }
  models { totalCount nodes { name namespace currentVersion { version } } }
}
`;

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <a className="back" href="/">Lineward</a>
    <main>
      <h1 className="unseen">GraphQL</h1>
      <GraphiQL fetcher={fetcher} plugins={plugins} visiblePlugin={SAVED_PLUGIN} defaultQuery={FIRST} defaultEditorToolsVisibility />
    </main>
  </StrictMode>,
);
