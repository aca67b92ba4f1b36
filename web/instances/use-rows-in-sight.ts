import { useCallback, useEffect, useLayoutEffect, useMemo, useState, type RefObject } from 'react';

import { Store, useStore } from '../parts/store.ts';

/** Rows above and below those in sight that are there already when they come into it. */
const beyond = 8;
/** After so long without scrolling it is at rest. */
const restMs = 150;

interface Sight {
  first: number;
  /** The row at which the first of the slots is. It stays where it is while rows are recycled. */
  origin: number;
}

interface RowsOptions {
  scroller: RefObject<HTMLElement | null>;
  count: number;
  rowHeight: number;
  /** What of the scroller's height shows no rows. */
  covered: number;
}

/**
 * Which rows are in the page. There are as many slots as rows fit, and one whose row leaves at one end takes the row that
 * comes at the other: no element is made or removed while scrolling, and the rows that stay are not drawn again. At rest
 * the slots are in the order of their rows, as somebody reads them who does not look.
 */
export function useRowsInSight({ scroller, count, rowHeight, covered }: RowsOptions) {
  const sight = useMemo(() => new Store<Sight>({ first: 0, origin: 0 }), []);
  const [height, setHeight] = useState(0);
  const { first, origin } = useStore(sight);
  const slots = Math.min(count, Math.ceil(height / rowHeight) + 1 + 2 * beyond);
  const last = count - slots;

  useLayoutEffect(() => {
    const element = scroller.current!;
    const measure = () => setHeight(element.clientHeight);
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    return () => resized.disconnect();
  }, [scroller]);

  useEffect(() => {
    const element = scroller.current!;
    const firstNow = () => Math.max(0, Math.min(last, Math.floor(element.scrollTop / rowHeight) - beyond));
    let rest: ReturnType<typeof setTimeout> | undefined;
    // A store that is set is drawn before the browser draws this frame, unlike a state.
    const scrolled = () => {
      const now = firstNow();
      if (now !== sight.get().first) sight.set({ ...sight.get(), first: now });
      clearTimeout(rest);
      rest = setTimeout(() => sight.set({ first: now, origin: now }), restMs);
    };
    scrolled();
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      clearTimeout(rest);
      element.removeEventListener('scroll', scrolled);
    };
  }, [scroller, sight, rowHeight, last]);

  /** Scrolls as little as brings a row into sight. */
  const show = useCallback(
    (row: number) => {
      const element = scroller.current!;
      const [top, inSight] = [row * rowHeight, element.offsetHeight - covered];
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + rowHeight > element.scrollTop + inSight) element.scrollTop = top + rowHeight - inSight;
    },
    [scroller, rowHeight, covered],
  );

  // A list that has become shorter may have been scrolled beyond its end.
  const from = Math.max(0, Math.min(first, last));
  const rowOf = (slot: number) => from + mod(slot - (from - origin), slots);
  return { rows: Array.from({ length: slots }, (_, slot) => rowOf(slot)), show };
}

const mod = (value: number, by: number): number => ((value % by) + by) % by;
