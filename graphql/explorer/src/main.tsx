import '@fontsource-variable/inter/wght.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { Route, Switch } from 'wouter';
import { client } from './ask';
import { Shell } from './shell/shell';
import { Empty, Loading } from './states';
import './theme.css';

const PAGES = [
  { name: 'Overview', path: '/', view: lazy(() => import('./overview/page')) },
  { name: 'Lineage', path: '/lineage', view: lazy(() => import('./lineage/page')) },
  { name: 'Models', path: '/models', view: lazy(() => import('./models/page')) },
  { name: 'Compliance', path: '/compliance', view: lazy(() => import('./compliance/page')) },
  { name: 'Decisions', path: '/decisions', view: lazy(() => import('./decisions/page')) },
] as const;

const BELOW = [
  { path: '/models/:version', view: lazy(() => import('./dossier/page')) },
  { path: '/models/:version/compare/:base', view: lazy(() => import('./dossier/compare')) },
  { path: '/unknowns', view: lazy(() => import('./unknowns/page')) },
  { path: '/decisions/file', view: lazy(() => import('./decisions/file')) },
  { path: '/decisions/:id', view: lazy(() => import('./decisions/decision')) },
] as const;

function App() {
  return (
    <Shell pages={PAGES}>
      <Suspense fallback={<Loading what="Loading the page" />}>
        <Switch>
          {[...PAGES, ...BELOW].map(({ path, view }) => (
            <Route key={path} path={path} component={view} />
          ))}
          <Route>
            <Empty headline="There is no such page" />
          </Route>
        </Switch>
      </Suspense>
    </Shell>
  );
}

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
