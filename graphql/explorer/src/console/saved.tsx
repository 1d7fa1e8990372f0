import { type GraphiQLPlugin, useGraphiQL } from '@graphiql/react';

// The files of the repository's folder of operations, as they are tested there.
const files: Record<string, string> = import.meta.glob('../../../operations/*.graphql', { query: '?raw', import: 'default', eager: true });

const SAVED = Object.entries(files)
  .map(([path, text]) => ({ name: nameOf(path), about: /^# ?(.*)/.exec(text)?.[1] ?? '', text }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

function nameOf(path: string): string {
  const words = path.slice(path.lastIndexOf('/') + 1, -'.graphql'.length).replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function SavedOperations() {
  const query = useGraphiQL((state) => state.queryEditor);
  return (
    <section className="saved" aria-label="Saved questions">
      <h2>Saved questions</h2>
      <ul>
        {SAVED.map(({ name, about, text }) => (
          <li key={name}>
            <button disabled={!query} onClick={() => (query?.setValue(text), query?.focus())}>
              <b>{name}</b>
              <span>{about}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export const SAVED_PLUGIN: GraphiQLPlugin = {
  title: 'Saved questions',
  icon: () => (
    <svg viewBox="0 0 16 16" width="1em" height="1em" fill="none" stroke="currentColor" strokeWidth="1.4" aria-hidden="true">
      <path d="M4 2h8v12l-4-3-4 3z" />
    </svg>
  ),
  content: SavedOperations,
};
