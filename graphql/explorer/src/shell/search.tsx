import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { asOf, linkTo, useParameters } from '../address';
import { ask } from '../ask';
import { type NodeBriefFragment, type NodeKind, SearchDocument } from '../gql/graphql';
import { Icon } from '../icons';
import { detail, hue, legible, title, word } from '../words';

interface Props {
  label: string;
  placeholder: string;
  shortcut?: string;
  kinds?: NodeKind[];
  pick: (node: NodeBriefFragment) => void;
}

/** A field that finds nodes by the words of their names; arrows and Enter choose. */
export function NodeSearch({ label, placeholder, shortcut, kinds, pick }: Props) {
  const [parameters] = useParameters();
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const list = useId();
  const field = useRef<HTMLInputElement>(null);
  const wanted = useDeferredValue(text.trim());
  const at = asOf(parameters);
  const found = useQuery({
    queryKey: ['search', wanted, kinds, at],
    queryFn: ({ signal }) => ask(SearchDocument, { text: wanted, kinds: kinds ?? null, at: at ?? null }, signal),
    enabled: open && wanted !== '',
    placeholderData: (before) => before,
  });
  useEffect(() => {
    if (!shortcut) return undefined;
    const focus = (event: globalThis.KeyboardEvent) => {
      const typing = event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]');
      if (event.key !== shortcut || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, [shortcut]);
  const nodes = wanted ? beginningFirst(found.data?.search.nodes ?? [], wanted) : [];
  const choose = (node: NodeBriefFragment | undefined) => {
    if (!node) return;
    setText('');
    setOpen(false);
    field.current?.blur();
    pick(node);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setActive((now) => Math.min(now + 1, nodes.length - 1));
    else if (event.key === 'ArrowUp') setActive((now) => Math.max(now - 1, 0));
    else if (event.key === 'Enter') choose(nodes[active]);
    else if (event.key === 'Escape') setOpen(false);
    else return;
    event.preventDefault();
  };
  const shown = open && wanted !== '';
  return (
    <div className="search" onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}>
      <input
        ref={field}
        type="search"
        role="combobox"
        aria-label={label}
        aria-expanded={shown}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={shown && nodes[active] ? `${list}-${active}` : undefined}
        aria-keyshortcuts={shortcut}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => (setText(event.target.value), setOpen(true), setActive(0))}
        onFocus={() => setOpen(true)}
        onKeyDown={onKeyDown}
      />
      {shortcut && !text && <kbd aria-hidden="true">{shortcut}</kbd>}
      <ul id={list} role="listbox" aria-label={label} hidden={!shown || nodes.length === 0}>
        {nodes.map((node, index) => (
          <li
            key={node.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === active}
            onMouseDown={(event) => event.preventDefault()}
            onMouseEnter={() => setActive(index)}
            onClick={() => choose(node)}
          >
            <Icon of={hue(node.kind)} />
            <span className="name"><bdi>{title(node)}</bdi></span>
            <span className="dim"><bdi>{node.__typename === 'Field' ? detail(node) : legible(node.namespace ?? '')}</bdi></span>
            <span className="dim kind">{word(node.kind)}</span>
          </li>
        ))}
      </ul>
      {shown && (
        <p className="found" role="status" data-nodes={nodes.length > 0 ? '' : undefined}>
          {found.isPending ? 'Searching…' : found.isError ? found.error.message : nodes.length === 0 ? `Nothing has a name with “${wanted}”` : more(found.data.search.totalCount, nodes.length)}
        </p>
      )}
    </div>
  );
}

/** Names that begin with what was typed, before those that only hold it. */
function beginningFirst(nodes: readonly NodeBriefFragment[], text: string): NodeBriefFragment[] {
  const rank = (node: NodeBriefFragment) => (title(node).toLowerCase().startsWith(text.toLowerCase()) ? 0 : 1);
  return nodes.toSorted((a, b) => rank(a) - rank(b));
}

function more(total: number, shown: number): string {
  return total > shown ? `The first ${shown} of ${total.toLocaleString('en')}; more words find fewer` : `${total} found`;
}

/** The search of every page: what is chosen opens with its lineage. */
export function GlobalSearch() {
  const [parameters] = useParameters();
  const [, navigate] = useLocation();
  return (
    <NodeSearch
      label="Search models, datasets, jobs, columns"
      placeholder="Search models, datasets, jobs, columns"
      shortcut="/"
      pick={(node) => navigate(linkTo('/lineage', parameters, { of: node.id, grain: node.kind === 'FIELD' ? 'FIELD' : 'RUN' }))}
    />
  );
}
