import { useNavigate } from '@tanstack/react-router';
import {
  memo,
  useCallback,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type RefObject,
} from 'react';

import { Sparkline } from '../parts/sparkline.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { percent } from '../parts/words.ts';
import type { Row } from './instance-rows.ts';
import type { SortKey } from './instance-search.ts';
import { useRowsInSight } from './use-rows-in-sight.ts';

const rowHeight = 40;

const columns: readonly { key: SortKey | 'tags'; text: string }[] = [
  { key: 'name', text: 'Name' },
  { key: 'status', text: 'Status' },
  { key: 'cpu', text: 'CPU' },
  { key: 'memory', text: 'Memory' },
  { key: 'version', text: 'Version' },
  { key: 'seen', text: 'Last seen' },
  { key: 'tags', text: 'Tags' },
];

interface GridProps {
  rows: readonly Row[];
  sort: SortKey | undefined;
  isDescending: boolean;
  onSort: (key: SortKey) => void;
  readingsOf: (id: string) => readonly number[];
}

/**
 * Thousands of rows of which those in sight are in the page. One stop for the Tab key: arrows, Page, Home and End move in
 * it, Enter opens.
 */
export function InstanceGrid({ rows, sort, isDescending, onSort, readingsOf }: GridProps) {
  const navigate = useNavigate();
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const covered = useCovered(scroller, head);
  const [activeId, setActiveId] = useState<string>();
  const { rows: inPage, show } = useRowsInSight({ scroller, count: rows.length, rowHeight, covered });
  // Looked for only where one was chosen: there are thousands.
  const found = activeId === undefined ? -1 : rows.findIndex(({ id }) => id === activeId);
  const active = Math.max(0, found);
  const open = useCallback(
    (id: string) => void navigate({ to: '/instances/$id', params: { id } }),
    [navigate],
  );

  const move = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    const inSight = (scroller.current?.offsetHeight ?? 0) - covered;
    const pageful = Math.max(1, Math.floor(inSight / rowHeight) - 1);
    const to = {
      ArrowDown: found < 0 ? 0 : active + 1,
      ArrowUp: active - 1,
      PageDown: active + pageful,
      PageUp: active - pageful,
      Home: 0,
      End: rows.length - 1,
    }[event.key];
    const row = rows[active];
    if (event.key === 'Enter' && row) return open(row.id);
    if (to === undefined) return;
    event.preventDefault();
    const at = Math.min(rows.length - 1, Math.max(0, to));
    setActiveId(rows[at]?.id);
    show(at);
  };

  const isActiveThere = inPage.includes(active);
  return (
    <div
      ref={scroller}
      className="grid"
      role="grid"
      aria-label="Instances"
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={isActiveThere && rows[active] ? `row-${rows[active].id}` : undefined}
      tabIndex={0}
      onKeyDown={move}
    >
      <div ref={head} role="row" aria-rowindex={1} className="grid-head">
        {columns.map(({ key, text }) => (
          <div
            key={key}
            role="columnheader"
            className={`col-${key}`}
            aria-sort={key === sort ? (isDescending ? 'descending' : 'ascending') : undefined}
          >
            {key === 'tags' ? (
              text
            ) : (
              <button type="button" onClick={() => onSort(key)}>
                {text}
                {key === sort && <span aria-hidden="true">{isDescending ? ' ↓' : ' ↑'}</span>}
              </button>
            )}
          </div>
        ))}
      </div>
      <div role="rowgroup" className="grid-rows" style={{ height: rows.length * rowHeight }}>
        {inPage.map((index, slot) => {
          const row = rows[index]!;
          return (
            <GridRow
              // Not the row's: what is in the page takes the next row.
              key={slot}
              row={row}
              index={index}
              isActive={index === active}
              readings={readingsOf(row.id)}
              onOpen={open}
            />
          );
        })}
      </div>
    </div>
  );
}

/** What of the list's height shows no rows: the head, the border and the bar to scroll by. */
function useCovered(
  scroller: RefObject<HTMLDivElement | null>,
  head: RefObject<HTMLDivElement | null>,
): number {
  const [covered, setCovered] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      const { offsetHeight = 0, clientHeight = 0 } = scroller.current ?? {};
      setCovered(offsetHeight - clientHeight + (head.current?.offsetHeight ?? 0));
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(scroller.current!);
    return () => resized.disconnect();
  }, [scroller, head]);
  return covered;
}

interface GridRowProps {
  row: Row;
  index: number;
  isActive: boolean;
  readings: readonly number[];
  onOpen: (id: string) => void;
}

const GridRow = memo(
  function GridRow({ row, index, isActive, readings, onOpen }: GridRowProps) {
    return (
      <div
        id={`row-${row.id}`}
        role="row"
        aria-rowindex={index + 2}
        aria-selected={isActive}
        className="grid-row"
        style={{ transform: `translateY(${index * rowHeight}px)` }}
        onClick={() => onOpen(row.id)}
      >
        <div role="gridcell" className="col-name">
          {row.name} <span className="quiet">{row.hostname}</span>
        </div>
        <div role="gridcell" className="col-status">
          <Status of={row.status} />
        </div>
        <div role="gridcell" className="col-cpu">
          <Sparkline values={readings} /> {percent(row.cpuPercent)}
        </div>
        <div role="gridcell" className="col-memory">
          {percent(row.memoryPercent)}
        </div>
        <div role="gridcell" className="col-version">
          {row.version}
        </div>
        <div role="gridcell" className="col-seen">
          <Time at={row.lastSeen} />
        </div>
        <div role="gridcell" className="col-tags">
          {row.tags.join(', ')}
        </div>
      </div>
    );
  },
  (a, b) => a.row === b.row && a.isActive === b.isActive && a.index === b.index,
);
