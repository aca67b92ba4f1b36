import { useEffect, useRef, type RefObject } from 'react';

/**
 * For a part of the page whose buttons and rows go away by what they do: when the one that had the focus is gone, what
 * stands for the part has it, and whoever goes by keyboard goes on from there.
 */
export function useKeptFocus(heir: RefObject<HTMLElement | null>) {
  const isWithin = useRef(false);
  useEffect(() => {
    if (!isWithin.current) return undefined;
    // A dialog that closes gives the focus back in the same frame, and goes first.
    const later = requestAnimationFrame(() => {
      if (document.activeElement === document.body) heir.current?.focus();
    });
    return () => cancelAnimationFrame(later);
  });
  return {
    onFocus: () => {
      isWithin.current = true;
    },
    onBlur: () => {
      isWithin.current = false;
    },
  };
}
