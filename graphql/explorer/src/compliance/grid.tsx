import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { legible, shortVersion } from '../words';
import { EFFECTS, Mark, VERDICT_WORDS } from './mark';
import { type Control, type Filter, fits, type Line } from './matrix';

const ROW = 38; // pixels
const SPARE = 6; // rows drawn above and below what is seen

interface Place {
  row: number; // 0 is the header
  column: number; // 0 is the model
}

interface Props {
  lines: readonly Line[];
  controls: readonly Control[];
  filter: Filter;
  chosen: { line: string; control: string } | undefined;
  choose: (line: string, control: string) => void;
  sort: string;
  sortBy: (by: string) => void;
}

/** Models against controls. One stop of Tab; arrows, Home, End and Page keys walk, Enter tells the reason. */
export function Grid({ lines, controls, filter, chosen, choose, sort, sortBy }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const [place, setPlace] = useState<Place>({ row: 1, column: 1 });
  const walking = useRef(false);
  const at = { row: Math.min(place.row, lines.length), column: Math.min(place.column, controls.length) };

  useEffect(() => {
    const element = box.current!;
    const look = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);

  // What is walked to may not be drawn yet: bring it into sight first, then give it the focus.
  useLayoutEffect(() => {
    if (!walking.current) return;
    const element = box.current!;
    if (at.row === 0) {
      element.scrollTop = 0;
    } else {
      const head = element.querySelector('thead')!.offsetHeight;
      const top = (at.row - 1) * ROW;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + ROW + head > element.scrollTop + element.clientHeight) element.scrollTop = top + ROW + head - element.clientHeight;
    }
    const cell = element.querySelector<HTMLElement>(`[data-row="${at.row}"][data-column="${at.column}"]`);
    if (!cell) return;
    walking.current = false;
    cell.focus({ preventScroll: true });
    reveal(element, cell);
  });

  const walk = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(seen.height / ROW) - 2);
    const whole = event.ctrlKey || event.metaKey;
    const { row, column } = at;
    const to: Record<string, Place> = {
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: row + 1, column },
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: column + 1 },
      PageUp: { row: Math.max(1, row - page), column },
      PageDown: { row: row + page, column },
      Home: { row: whole ? 0 : row, column: 0 },
      End: { row: whole ? lines.length : row, column: controls.length },
    };
    const wanted = to[event.key];
    if (wanted) {
      event.preventDefault();
      walking.current = true;
      setPlace({ row: Math.min(Math.max(wanted.row, 0), lines.length), column: Math.min(Math.max(wanted.column, 0), controls.length) });
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      act(row, column);
    }
  };
  const act = (row: number, column: number) => {
    const control = controls[column - 1];
    if (row === 0) sortBy(control ? control.id : 'name');
    else choose(lines[row - 1]!.key, control?.id ?? '');
  };
  const click = (row: number, column: number) => {
    walking.current = true;
    setPlace({ row, column });
    act(row, column);
  };
  const own = (row: number, column: number) => ({
    'data-row': row,
    'data-column': column,
    tabIndex: at.row === row && at.column === column ? 0 : -1,
    onClick: () => click(row, column),
  });

  const longest = controls.reduce((length, { id }) => Math.max(length, id.length), 0);
  const first = Math.max(0, Math.floor(seen.top / ROW) - SPARE);
  const last = Math.min(lines.length, Math.ceil((seen.top + seen.height) / ROW) + SPARE);
  return (
    <div className="matrix" ref={box} data-long={longest > 8 ? '' : undefined}>
      <table role="grid" aria-label="Verdicts by model and control" aria-rowcount={lines.length + 1} aria-colcount={controls.length + 1} onKeyDown={walk}>
        <thead>
          <tr role="row" aria-rowindex={1}>
            <th role="columnheader" scope="col" aria-colindex={1} aria-sort={sort === 'name' ? 'ascending' : 'none'} {...own(0, 0)}>Model</th>
            {controls.map((control, index) => (
              <th
                key={control.id}
                role="columnheader"
                scope="col"
                aria-colindex={index + 2}
                aria-sort={sort === control.id ? 'descending' : 'none'}
                aria-label={`${control.id}: ${control.title}, ${control.severity.toLowerCase()}`}
                title={`${control.title} (${control.article}, ${control.severity.toLowerCase()})`}
                {...own(0, index + 1)}
              >
                <span>{legible(control.id)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr aria-hidden="true" style={{ height: first * ROW }}><td colSpan={controls.length + 1} /></tr>}
          {lines.slice(first, last).map((line, offset) => {
            const row = first + offset + 1;
            return (
              <tr key={line.key} role="row" aria-rowindex={row + 1} data-chosen={chosen?.line === line.key ? '' : undefined}>
                <th role="rowheader" scope="row" aria-colindex={1} {...own(row, 0)} title={`${legible(line.model.namespace ?? '')} ${legible(line.model.name)} ${legible(line.target?.version ?? '')}`}>
                  <bdi className="who">{legible(line.model.name)}</bdi>
                  <code>{line.target ? legible(shortVersion(line.target.version)) : 'none'}</code>
                  {line.servesIn.length > 0 && <i className="tag" title={`Serves in ${line.servesIn.map(legible).join(', ')}`}>in service</i>}
                </th>
                {line.trouble !== null ? (
                  <td role="gridcell" aria-colindex={2} aria-colspan={controls.length} colSpan={Math.max(1, controls.length)} className="trouble" {...own(row, Math.max(1, at.column))}>
                    <Mark of={line.verdict} /> {line.trouble}
                  </td>
                ) : (
                  controls.map((control, index) => {
                    const cell = line.cells.get(control.id);
                    return (
                      <td
                        key={control.id}
                        role="gridcell"
                        aria-colindex={index + 2}
                        aria-label={cell ? `${control.id} ${VERDICT_WORDS[cell.verdict]}, ${EFFECTS[cell.enforcement]}` : `${control.id} says nothing`}
                        aria-selected={chosen?.line === line.key && chosen.control === control.id}
                        data-left-out={cell && !fits(cell, control, filter) ? '' : undefined}
                        {...own(row, index + 1)}
                      >
                        {cell && <Mark of={cell.verdict} enforcement={cell.enforcement} />}
                      </td>
                    );
                  })
                )}
              </tr>
            );
          })}
          {last < lines.length && <tr aria-hidden="true" style={{ height: (lines.length - last) * ROW }}><td colSpan={controls.length + 1} /></tr>}
        </tbody>
      </table>
    </div>
  );
}

/** Scrolls sideways so that a cell is not behind the names. */
function reveal(box: HTMLElement, cell: HTMLElement): void {
  if (cell.dataset.column === '0') return;
  const names = box.querySelector('thead th')!.getBoundingClientRect().right;
  const { left, right } = cell.getBoundingClientRect();
  const edge = box.getBoundingClientRect().right;
  if (left < names) box.scrollLeft -= names - left;
  else if (right > edge) box.scrollLeft += right - edge + 16;
}
